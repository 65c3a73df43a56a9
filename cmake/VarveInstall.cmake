# What `cmake --install` puts where, and the package files for find_package(varve CONFIG), of the
# installed copy and of the build tree.
#
#     bin/                     varve, protoc-gen-varve: links to the launchers in share/varve/codegen
#     include/varve/           the runtime's headers
#     lib/                     libvarve, cmake/varve/, pkgconfig/varve.pc
#     share/varve/             codegen/, schema/varve/options.proto, tools/: as in the source tree
#
# Nothing in it says where it is: every path is found from the file that needs it.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(data_dir "${CMAKE_INSTALL_DATADIR}/varve")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/varve")
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# A relative path from one installed folder to another; an absolute one when one of them was given so.
function(_varve_way from to variable)
  if(IS_ABSOLUTE "${from}" OR IS_ABSOLUTE "${to}")
    cmake_path(ABSOLUTE_PATH to BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE OUTPUT_VARIABLE way)
  else()
    file(RELATIVE_PATH way "/prefix/${from}" "/prefix/${to}")
    string(REGEX REPLACE "/+$" "" way "${way}")
  endif()
  set(${variable} "${way}" PARENT_SCOPE)
endfunction()

# ---------------------------------------------------------------------------- library and sources

install(TARGETS varve EXPORT varveTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime/include/varve" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/schema/varve/options.proto" DESTINATION "${data_dir}/schema/varve")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/tools" DESTINATION "${data_dir}")
install(PROGRAMS "${PROJECT_SOURCE_DIR}/codegen/launch" "${PROJECT_SOURCE_DIR}/codegen/varve"
                 "${PROJECT_SOURCE_DIR}/codegen/protoc-gen-varve"
        DESTINATION "${data_dir}/codegen")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/codegen/varve_codegen" "${PROJECT_SOURCE_DIR}/codegen/varve_cli"
                  "${PROJECT_SOURCE_DIR}/codegen/varve_migrate" "${PROJECT_SOURCE_DIR}/codegen/templates"
        DESTINATION "${data_dir}/codegen"
        PATTERN __pycache__ EXCLUDE)

_varve_way("${CMAKE_INSTALL_BINDIR}" "${data_dir}/codegen" way)
foreach(program IN ITEMS varve protoc-gen-varve)
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/varve_links")
  set(link "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/varve_links/${program}")
  file(CREATE_LINK "${way}/${program}" "${link}" SYMBOLIC)
  install(FILES "${link}" DESTINATION "${CMAKE_INSTALL_BINDIR}")
endforeach()

# ---------------------------------------------------------------------------- CMake package

# Makes varveConfig.cmake. `root` holds codegen/, schema/ and tools/, `modules` the CMake files.
function(_varve_config file root modules)
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/varveConfig.cmake.in" "${file}" ${ARGN}
                                PATH_VARS root modules NO_CHECK_REQUIRED_COMPONENTS_MACRO)
endfunction()

set(compatible SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatible SameMinorVersion) # before 1.0 every minor version may change anything
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/varveConfigVersion.cmake" COMPATIBILITY ${compatible})

set(config "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/varveConfig.cmake")
_varve_config("${config}" "${data_dir}" "${package_dir}" INSTALL_DESTINATION "${package_dir}")
install(FILES "${config}" "${PROJECT_BINARY_DIR}/varveConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/VarveGenerate.cmake" "${PROJECT_SOURCE_DIR}/cmake/VarveTool.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/varve_protoc.py"
        DESTINATION "${package_dir}")
install(EXPORT varveTargets NAMESPACE varve:: DESTINATION "${package_dir}")

# The build tree as a package: -Dvarve_DIR=<build folder>.
_varve_config("${PROJECT_BINARY_DIR}/varveConfig.cmake" "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/cmake"
              INSTALL_DESTINATION "${PROJECT_BINARY_DIR}" INSTALL_PREFIX "${PROJECT_BINARY_DIR}")
export(EXPORT varveTargets NAMESPACE varve:: FILE "${PROJECT_BINARY_DIR}/varveTargets.cmake")

# ---------------------------------------------------------------------------- pkg-config

# A folder of the installed copy as varve.pc says it.
function(_varve_pc_folder dir variable)
  set(${variable} "\${prefix}/${dir}" PARENT_SCOPE)
  if(IS_ABSOLUTE "${dir}")
    set(${variable} "${dir}" PARENT_SCOPE)
  endif()
endfunction()

_varve_way("${pc_dir}" "." way)
set(pc_prefix "\${pcfiledir}/${way}")
if(IS_ABSOLUTE "${way}")
  set(pc_prefix "${way}")
endif()
_varve_pc_folder("${CMAKE_INSTALL_INCLUDEDIR}" pc_include)
_varve_pc_folder("${CMAKE_INSTALL_LIBDIR}" pc_lib)
_varve_pc_folder("${data_dir}" pc_data)

# Who links libvarve.a links what is inside of it as well.
set(pc_requires "libprotobuf-c >= 1.4")
set(pc_requires_private "sqlite3 >= 3.40, hiredis >= 0.14, libzstd, liblz4, libdeflate, liblzf, libxxhash >= 0.8, hdf5 >= 1.10.5")
if(VARVE_OPENSSL_FOUND)
  string(APPEND pc_requires_private ", openssl >= 1.1.1")
endif()
set(pc_libs "")
set(pc_libs_private "-lsz -laec -pthread")
if(NOT BUILD_SHARED_LIBS)
  string(APPEND pc_requires ", ${pc_requires_private}")
  set(pc_requires_private "")
  set(pc_libs " ${pc_libs_private}")
  set(pc_libs_private "")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/varve.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/varve.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/varve.pc" DESTINATION "${pc_dir}")
