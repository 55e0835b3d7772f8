# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` brings: the program, the library with its headers, and
# what find_package(eventweft) and pkg-config need. All of it can be moved: it
# finds itself by its own place.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Libraries that no distribution's package brings (we built them ourselves)
# come along; everything else is the system's.
set(bundled_dir ${CMAKE_INSTALL_LIBDIR}/eventweft)
set(bundled)
foreach(target CAF::core CAF::io CAF::openssl libpqxx::pqxx)
  if(TARGET ${target})
    get_target_property(real ${target} ALIASED_TARGET)
    if(NOT real)
      set(real ${target})
    endif()
    list(APPEND bundled ${real})
  endif()
endforeach()
install(IMPORTED_RUNTIME_ARTIFACTS ${bundled} LIBRARY DESTINATION ${bundled_dir}
                                                      COMPONENT bundled)

set_target_properties(eventweft_shared
                      PROPERTIES INSTALL_RPATH "$ORIGIN/eventweft")
set_target_properties(
  eventweft PROPERTIES INSTALL_RPATH
                       "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/eventweft")
install(TARGETS eventweft RUNTIME)
install(TARGETS eventweft_shared LIBRARY)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/eventweft
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/config/eventweft.sample.toml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/eventweft)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/eventweft)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/eventweftConfig.cmake.in
  ${PROJECT_BINARY_DIR}/eventweftConfig.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/eventweftConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/eventweftConfig.cmake
              ${PROJECT_BINARY_DIR}/eventweftConfigVersion.cmake
        DESTINATION ${package_dir})

configure_file(${PROJECT_SOURCE_DIR}/cmake/eventweft.pc.in
               ${PROJECT_BINARY_DIR}/eventweft.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/eventweft.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
