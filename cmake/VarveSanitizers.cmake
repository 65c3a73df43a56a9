# Builds everything below the including folder with -fsanitize=${VARVE_SANITIZE}, when it is set.
if(VARVE_SANITIZE)
  add_compile_options(-fsanitize=${VARVE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VARVE_SANITIZE})
endif()
