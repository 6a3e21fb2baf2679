# SPDX-License-Identifier: MIT
# The install tree: bin/ lib/ include/ python/ and the CMake package. It can be moved as a whole.
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY MIGRAPHX_LIBRARIES)
get_property(driver GLOBAL PROPERTY MIGRAPHX_DRIVER)
get_property(python_module GLOBAL PROPERTY MIGRAPHX_PYTHON_MODULE)
if(NOT libraries)
    return()
endif()

foreach(lib ${libraries})
    string(REGEX REPLACE "^migraphx_" "" name ${lib})
    set_target_properties(${lib} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS ${libraries} EXPORT migraphx-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(driver)
    install(TARGETS ${driver} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(python_module)
    install(TARGETS ${python_module} LIBRARY DESTINATION python)
    # PYTHONPATH=<prefix>/lib is how existing users find the module.
    install(CODE "file(CREATE_LINK ../python/$<TARGET_FILE_NAME:${python_module}>
        \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/$<TARGET_FILE_NAME:${python_module}>\" SYMBOLIC)")
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")

# Libraries of other projects that ours are linked with travel along. oneDNN names its file by full
# version, the loader asks for the SONAME.
if(TARGET migraphx_cpu)
    get_target_property(dnnl_file DNNL::dnnl IMPORTED_LOCATION_RELEASE)
    if(NOT dnnl_file)
        get_target_property(dnnl_file DNNL::dnnl LOCATION)
    endif()
    install(FILES ${dnnl_file} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libdnnl.so.3)
endif()
file(GLOB gomp ${MIGRAPHX_DEPS}/lib/libgomp*.so*)
if(gomp AND MIGRAPHX_DEPS)
    install(FILES ${gomp} DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/migraphx)
install(EXPORT migraphx-targets NAMESPACE migraphx:: DESTINATION ${package_dir})
configure_package_config_file(cmake/migraphx-config.cmake.in
    ${CMAKE_BINARY_DIR}/migraphx-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/migraphx-config-version.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/migraphx-config.cmake
    ${CMAKE_BINARY_DIR}/migraphx-config-version.cmake DESTINATION ${package_dir})
