# varve_warnings(TARGET..): the project's warnings for its own targets, generated code included.
# Errors with VARVE_WERROR.
function(varve_warnings)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wwrite-strings
                                             $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
                                             $<$<BOOL:${VARVE_WERROR}>:-Werror>)
  endforeach()
endfunction()
