# The program of varve_generate(.. TOOL name): tools/ of varve, linked with the bindings of a target.

include_guard(GLOBAL)
cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

set_property(GLOBAL PROPERTY VARVE_TOOL_SOURCES
             arguments.c checks.c ctl.c json.c keys.c migrate.c open.c progress.c status.c text.c verify.c)

# umbrellas: the headers of the target's packages, without .varve.h.
#
# The bindings are compiled once, by the target; the tool takes their objects. So no command belongs to
# two targets, which Makefiles would run twice at a time, and the target may be an executable. Bindings
# may need what the target links, other bindings for instance, so the tool links the same.
function(_varve_tool name target umbrellas)
  if(TARGET "${name}")
    message(FATAL_ERROR "varve_generate: TOOL ${name} is a target already; choose another name")
  endif()
  _varve_find_sqlite()
  get_property(root GLOBAL PROPERTY VARVE_ROOT)
  get_property(sources GLOBAL PROPERTY VARVE_TOOL_SOURCES)
  list(TRANSFORM sources PREPEND "${root}/tools/")
  set(schemas "${CMAKE_CURRENT_BINARY_DIR}/${name}.varve/schemas.c")
  _varve_configure_schemas("${name}" "${umbrellas}" "${root}/tools/schemas.c.in" "${schemas}")

  add_executable(${name} ${sources} "${schemas}"
                 "$<FILTER:$<TARGET_OBJECTS:${target}>,INCLUDE,[.]varve[.]c[.]o>")
  add_dependencies(${name} ${target})
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  target_compile_features(${name} PRIVATE c_std_11)
  target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L)
  target_include_directories(${name} PRIVATE "${root}/tools" "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  target_link_libraries(${name} PRIVATE varve::varve PkgConfig::VARVE_SQLITE3
                                        "$<TARGET_PROPERTY:${target},LINK_LIBRARIES>")
  target_link_directories(${name} PRIVATE "$<TARGET_PROPERTY:${target},LINK_DIRECTORIES>")
  # Objects made with -fsanitize and the like want them at linking too.
  set(options "$<TARGET_PROPERTY:${target},LINK_OPTIONS>")
  target_link_options(${name} PRIVATE "$<FILTER:${options},INCLUDE,^-f|^-m|^--coverage>")
  get_target_property(excluded ${target} EXCLUDE_FROM_ALL)
  if(excluded)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

# Writes the file that names the schemas.
function(_varve_configure_schemas name umbrellas template file)
  set(includes "")
  set(pointers "")
  foreach(umbrella IN LISTS umbrellas)
    cmake_path(GET umbrella FILENAME prefix)
    string(REGEX REPLACE "__+" "_" prefix "${prefix}")
    list(APPEND includes "#include \"${umbrella}.varve.h\"")
    list(APPEND pointers "&${prefix}_schema")
  endforeach()
  list(JOIN includes "\n" includes)
  list(JOIN pointers ", " pointers)
  list(LENGTH umbrellas count)
  configure_file("${template}" "${file}" @ONLY)
endfunction()

function(_varve_find_sqlite)
  if(TARGET PkgConfig::VARVE_SQLITE3)
    return()
  endif()
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(VARVE_SQLITE3 IMPORTED_TARGET "sqlite3>=3.40")
  if(NOT TARGET PkgConfig::VARVE_SQLITE3)
    message(FATAL_ERROR "varve_generate: TOOL needs SQLite 3.40 or newer. On Debian: apt-get install libsqlite3-dev")
  endif()
endfunction()

cmake_policy(POP)
