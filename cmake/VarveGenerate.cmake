# varve_generate(): C bindings for .proto files, made by the build, in the build tree.
#
#     add_executable(app main.c)
#     varve_generate(TARGET app PROTOS lab/session.proto lab/subject.proto)
#
#     varve_generate(TARGET target PROTOS file.. [MIGRATIONS folder] [IMPORT_DIRS folder..] [TOOL name])
#
# PROTOS are relative to the first of IMPORT_DIRS and keep their folders: lab/session.proto is
# included as "lab/session.varve.h". Absolute paths below one of IMPORT_DIRS, and relative ones that
# only a later one has, work too. IMPORT_DIRS are where imports are looked for, in this order; the
# default is the current source folder's schema/, else the folder itself. varve's own options are
# always found. All files of a package that are for one target belong into one call.
#
# The bindings become sources of the target; the target, and what links it, finds their headers and
# the runtime. One command per file writes its .varve.h and .varve.c; one per package, over all its
# files, writes the umbrella and beside it, as .sql, the package's tables, and as .layout.json the keys of
# its cached messages. They run when a file, one of its imports or the generator has changed, and leave
# equal output untouched, so that nothing is compiled for it.
#
# MIGRATIONS is the folder that `varve migrate new` writes to, relative to the current source folder: the
# program carries its steps and brings older data to the schema when it opens them. A build whose schema is
# ahead of the folder fails and says the command to run. The call's files are of one package then. Without
# MIGRATIONS tables are made once and never changed.
#
# TOOL makes one more executable, which looks after the data of these packages: `name status DATA_DIR`
# and so on, see `name --help`.
#
# Needs protoc and a Python 3 with protobuf and jinja2; they are looked for at the first call.
# VARVE_PROTOC and VARVE_PYTHON (CMake or environment) choose others.

include_guard(GLOBAL)
cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

# The folder that holds codegen/, schema/ and tools/: an installed copy's config names its own.
if(NOT DEFINED _varve_root)
  cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH _varve_root)
endif()
set_property(GLOBAL PROPERTY VARVE_ROOT "${_varve_root}")

include("${CMAKE_CURRENT_LIST_DIR}/VarveTool.cmake")

function(varve_generate)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET;MIGRATIONS;TOOL" "PROTOS;IMPORT_DIRS")
  _varve_check_arguments()
  _varve_find_tools()

  set(folders "")
  foreach(folder IN LISTS arg_IMPORT_DIRS)
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    string(REGEX REPLACE "(.)/+$" "\\1" folder "${folder}")
    list(APPEND folders "${folder}")
  endforeach()
  if(NOT folders)
    set(folders "${CMAKE_CURRENT_SOURCE_DIR}")
    if(IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/schema")
      set(folders "${CMAKE_CURRENT_SOURCE_DIR}/schema")
    endif()
  endif()

  # Sort the files into packages: files_<package> holds paths as the schema imports them.
  set(packages "")
  foreach(proto IN LISTS arg_PROTOS)
    _varve_locate("${proto}" "${folders}" path file)
    _varve_read_package("${file}" package)
    list(APPEND packages "${package}")
    list(APPEND "files_${package}" "${path}")
    set("file_of_${path}" "${file}")
  endforeach()
  list(REMOVE_DUPLICATES packages)

  set(migrations "")
  if(DEFINED arg_MIGRATIONS)
    list(JOIN packages " and " named)
    if(named MATCHES " ")
      message(FATAL_ERROR "varve_generate: MIGRATIONS are of one package, and the files are of ${named}; call it "
                          "once for each package, with a folder of its own")
    endif()
    cmake_path(ABSOLUTE_PATH arg_MIGRATIONS BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE
               OUTPUT_VARIABLE migrations)
    string(REGEX REPLACE "(.)/+$" "\\1" migrations "${migrations}")
    if(EXISTS "${migrations}" AND NOT IS_DIRECTORY "${migrations}")
      message(FATAL_ERROR "varve_generate: MIGRATIONS ${migrations} is no folder")
    endif()
    if(migrations MATCHES "[\"#$&'*;<>?\\^`|]")
      message(FATAL_ERROR "varve_generate: the path of MIGRATIONS, ${migrations}, has a character that the "
                          "dependency files of a build cannot hold: ${CMAKE_MATCH_0}; move the folder")
    endif()
  endif()

  set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}.varve")
  set(umbrellas "")
  foreach(package IN LISTS packages)
    _varve_umbrella("${package}" "${files_${package}}" umbrella)
    list(APPEND umbrellas "${umbrella}")
    set(options "package=${package},umbrella=${umbrella}")
    set(package_inputs "")
    set(package_scan "")
    foreach(path IN LISTS "files_${package}")
      if(path STREQUAL "${umbrella}.proto")
        # One pair is both this file's and the package's; the package's command writes it.
        set(package_scan SCAN "${path}")
        list(APPEND package_inputs "${file_of_${path}}")
      else()
        string(REGEX REPLACE "\\.proto$" "" stem "${path}")
        _varve_command("${path}" "${stem}" "emit=file,${options}" SCAN "${path}" PATHS "${path}"
                       DEPENDS "${file_of_${path}}" RESULT stamp)
        list(APPEND package_inputs "${stamp}")
      endif()
    endforeach()
    _varve_command("package ${package}" "${umbrella}" "emit=package,${options}" ${package_scan}
                   MIGRATIONS "${migrations}" PATHS ${files_${package}} DEPENDS ${package_inputs} RESULT stamp)
  endforeach()

  target_include_directories(${arg_TARGET} PUBLIC "$<BUILD_INTERFACE:${out}>")
  target_link_libraries(${arg_TARGET} PUBLIC varve::varve)
  if(DEFINED arg_TOOL)
    _varve_tool("${arg_TOOL}" ${arg_TARGET} "${umbrellas}")
  endif()
endfunction()

# ---------------------------------------------------------------------------- arguments

macro(_varve_check_arguments)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "varve_generate: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "varve_generate: nothing follows ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT arg_TARGET OR NOT arg_PROTOS)
    message(FATAL_ERROR "varve_generate needs TARGET and PROTOS")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "C" IN_LIST languages)
    message(FATAL_ERROR "varve_generate: the bindings are C, which this project has not enabled; add C to "
                        "project(.. LANGUAGES ..)")
  endif()
  if(NOT TARGET ${arg_TARGET})
    message(FATAL_ERROR "varve_generate: there is no target ${arg_TARGET}; call add_executable or "
                        "add_library first")
  endif()
  get_target_property(source_dir ${arg_TARGET} SOURCE_DIR)
  get_target_property(type ${arg_TARGET} TYPE)
  if(NOT source_dir STREQUAL CMAKE_CURRENT_SOURCE_DIR OR type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "varve_generate: ${arg_TARGET} must be an executable or a library with sources, "
                        "made in the same CMakeLists.txt")
  endif()
endmacro()

# path: the file as protoc and imports name it, relative to the folder that has it.
function(_varve_locate proto folders path_variable file_variable)
  set(path "${proto}")
  if(IS_ABSOLUTE "${proto}")
    cmake_path(NORMAL_PATH proto)
    foreach(folder IN LISTS folders)
      cmake_path(IS_PREFIX folder "${proto}" NORMALIZE below)
      if(below)
        cmake_path(RELATIVE_PATH proto BASE_DIRECTORY "${folder}" OUTPUT_VARIABLE path)
        break()
      endif()
    endforeach()
  else()
    cmake_path(NORMAL_PATH path)
  endif()
  list(JOIN folders ", " searched)
  if(NOT path MATCHES "^[^/].*\\.proto$|^[^/]\\.proto$" OR path MATCHES "^\\.\\./|[,;=:\\\\]")
    message(FATAL_ERROR "varve_generate: ${proto} is no .proto file below an import folder (${searched}) "
                        "whose name is without , ; = : and \\")
  endif()
  foreach(folder IN LISTS folders)
    if(EXISTS "${folder}/${path}")
      if(IS_ABSOLUTE "${proto}" AND NOT "${folder}/${path}" STREQUAL proto)
        message(FATAL_ERROR "varve_generate: ${proto} is hidden by ${folder}/${path}: an earlier import "
                            "folder has a file of that name")
      endif()
      set(${path_variable} "${path}" PARENT_SCOPE)
      set(${file_variable} "${folder}/${path}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "varve_generate: ${proto} is not in ${searched}")
endfunction()

# Reads the package once, at configure time. An edit does not configure again: the generator is told
# the package that was read here, and refuses a file that says another one.
function(_varve_read_package file variable)
  file(READ "${file}" text)
  set(code ";")
  # Moves what is neither comment nor string to `code`, piece by piece, until that says the package.
  while(NOT text STREQUAL "")
    string(REGEX MATCH "//|/\\*|[\"']" special "${text}")
    string(FIND "${text}" "${special}" position)
    if(special STREQUAL "")
      set(position -1)
    endif()
    string(SUBSTRING "${text}" 0 ${position} piece)
    string(APPEND code "${piece} ")
    if(code MATCHES "[;}][ \t\r\n]*package[ \t\r\n]+([A-Za-z0-9_.]+)[ \t\r\n]*;")
      set(${variable} "${CMAKE_MATCH_1}" PARENT_SCOPE)
      return()
    endif()
    _varve_skip("${special}" "${position}" "${text}" text)
  endwhile()
  message(FATAL_ERROR "${file}:1:1: error: the file says no package; add a line such as "
                      "\"package lab;\" behind its syntax line")
endfunction()

# What of the text stands behind the comment or string that begins at the position.
function(_varve_skip special position text variable)
  set(${variable} "" PARENT_SCOPE)
  if(special STREQUAL "")
    return()
  endif()
  string(SUBSTRING "${text}" ${position} -1 text)
  if(special STREQUAL "//")
    string(FIND "${text}" "\n" end)
  elseif(special STREQUAL "/*")
    string(SUBSTRING "${text}" 2 -1 text)
    string(FIND "${text}" "*/" end)
    if(NOT end EQUAL -1)
      math(EXPR end "${end} + 2")
    endif()
  else()
    string(REGEX MATCH "^\"([^\"\\\n]|\\\\.)*\"?|^'([^'\\\n]|\\\\.)*'?" quoted "${text}")
    string(LENGTH "${quoted}" end)
  endif()
  if(NOT end EQUAL -1)
    string(SUBSTRING "${text}" ${end} -1 text)
    set(${variable} "${text}" PARENT_SCOPE)
  endif()
endfunction()

# The umbrella's path without extension: the deepest folder that all files share, and the package in
# snake case.
function(_varve_umbrella package paths variable)
  list(GET paths 0 first)
  cmake_path(GET first PARENT_PATH folder)
  foreach(path IN LISTS paths)
    while(folder)
      cmake_path(IS_PREFIX folder "${path}" shared)
      if(shared)
        break()
      endif()
      cmake_path(GET folder PARENT_PATH folder)
    endwhile()
  endforeach()
  string(REGEX REPLACE "([a-z])([A-Z])" "\\1_\\2" name "${package}")
  string(REGEX REPLACE "([A-Z0-9])([A-Z][a-z])" "\\1_\\2" name "${name}")
  string(REPLACE "." "_" name "${name}")
  string(TOLOWER "${name}" name)
  cmake_path(APPEND folder "${name}")
  set(${variable} "${folder}" PARENT_SCOPE)
endfunction()

# ---------------------------------------------------------------------------- commands

# Adds the command that writes <stem>.varve.h and .varve.c, and these to the target, and for a package
# <stem>.sql and <stem>.layout.json. What counts as its output is a stamp: the files keep their times when a
# run changes nothing in them.
# Uses the caller's arg_TARGET, out and folders.
function(_varve_command what stem options)
  cmake_parse_arguments(PARSE_ARGV 3 command "" "SCAN;RESULT;MIGRATIONS" "PATHS;DEPENDS")
  get_target_property(stems ${arg_TARGET} VARVE_STEMS)
  if(stem IN_LIST stems)
    message(FATAL_ERROR "varve_generate: ${what} would write ${stem}.varve.h, which this target has "
                        "already. Name all files of a package in one call, and no file of another "
                        "package like a package's umbrella header")
  endif()
  set_property(TARGET ${arg_TARGET} APPEND PROPERTY VARVE_STEMS "${stem}")

  get_property(root GLOBAL PROPERTY VARVE_ROOT)
  set(script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/varve_protoc.py")
  set(plugin "${root}/codegen/protoc-gen-varve")
  set(stamp "${out}/.stamps/${stem}")
  set(pair "${out}/${stem}.varve.h" "${out}/${stem}.varve.c")
  set(scan "")
  if(command_SCAN)
    set(scan --scan "${command_SCAN}") # the file whose imports the stamp depends on
  endif()
  set(migrations "")
  if(command_MIGRATIONS)
    set(migrations --migrations "${command_MIGRATIONS}")
  endif()
  set(merged "")
  if(CMAKE_GENERATOR MATCHES "Makefiles")
    set(merged --merged "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${arg_TARGET}.dir/compiler_depend.internal")
  endif()
  list(TRANSFORM folders PREPEND "-I" OUTPUT_VARIABLE includes)
  add_custom_command(
    OUTPUT "${stamp}"
    BYPRODUCTS ${pair}
    COMMAND "${VARVE_PYTHON}" "${script}" --protoc "${VARVE_PROTOC}" --plugin "${plugin}"
            --codegen "${root}/codegen" --out "${out}" --stem "${stem}" --stamp "${stamp}" ${scan}
            ${migrations} ${merged} --options "${options}" ${includes} "-Ivarve=${root}/schema/varve" ${command_PATHS}
    DEPENDS "${script}" "${plugin}" "${root}/codegen/launch" ${command_DEPENDS}
    DEPFILE "${stamp}.d"
    COMMENT "varve: ${what}"
    VERBATIM)
  # No byproducts: a package without tables or cached messages lacks one, and Ninja would run the command for
  # ever.
  set_property(TARGET ${arg_TARGET} APPEND PROPERTY ADDITIONAL_CLEAN_FILES
               "${out}/${stem}.sql" "${out}/${stem}.layout.json")
  target_sources(${arg_TARGET} PRIVATE "${stamp}" ${pair})
  set_source_files_properties("${stamp}" PROPERTIES HEADER_FILE_ONLY ON)
  set_source_files_properties(${pair} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON) # their static names are alike
  set(${command_RESULT} "${stamp}" PARENT_SCOPE)
endfunction()

# ---------------------------------------------------------------------------- tools

function(_varve_check_python result python)
  execute_process(
    COMMAND "${python}" -c
            "import sys; assert sys.version_info >= (3, 9); import google.protobuf, jinja2"
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(NOT status EQUAL 0)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(_varve_check_protoc result protoc)
  execute_process(COMMAND "${protoc}" --version OUTPUT_VARIABLE text ERROR_QUIET)
  if(NOT text MATCHES "libprotoc ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS 3.21)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Finds a tool, or takes the one that was named, and says what to install when it does not serve.
function(_varve_find variable check advice)
  if(NOT ${variable} AND NOT "$ENV{${variable}}" STREQUAL "")
    set(${variable} "$ENV{${variable}}" CACHE FILEPATH "" FORCE)
  endif()
  find_program(${variable} NAMES ${ARGN} PATHS /usr/local/bin /usr/bin VALIDATOR ${check})
  set(good TRUE)
  if(${variable})
    cmake_language(CALL ${check} good "${${variable}}")
  endif()
  if(NOT ${variable} OR NOT good)
    set(named "")
    if(${variable})
      set(named " (${variable} is ${${variable}}, which does not serve)")
      unset(${variable} CACHE)
    endif()
    message(FATAL_ERROR "varve: ${advice}${named}")
  endif()
endfunction()

function(_varve_find_tools)
  get_property(found GLOBAL PROPERTY VARVE_TOOLS_FOUND)
  if(found)
    return()
  endif()
  _varve_find(VARVE_PYTHON _varve_check_python
              "no Python 3.9 or newer with the modules google.protobuf and jinja2 was found. On Debian: \
apt-get install python3-protobuf python3-jinja2; elsewhere say -DVARVE_PYTHON=/path/to/python3"
              python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9)
  _varve_find(VARVE_PROTOC _varve_check_protoc
              "no protoc 3.21 or newer was found. On Debian: apt-get install protobuf-compiler; \
elsewhere say -DVARVE_PROTOC=/path/to/protoc"
              protoc)

  set(probe "${CMAKE_BINARY_DIR}/CMakeFiles/varve_probe")
  file(WRITE "${probe}/probe.proto" "syntax = \"proto3\";\nimport public \"google/protobuf/descriptor.proto\";\n")
  execute_process(COMMAND "${VARVE_PROTOC}" --descriptor_set_out=probe.bin -I. probe.proto
                  WORKING_DIRECTORY "${probe}" RESULT_VARIABLE status ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "varve: ${VARVE_PROTOC} does not find google/protobuf/descriptor.proto. "
                        "On Debian: apt-get install libprotobuf-dev\n${text}")
  endif()
  set_property(GLOBAL PROPERTY VARVE_TOOLS_FOUND TRUE)
endfunction()

cmake_policy(POP)
