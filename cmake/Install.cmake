# SPDX-License-Identifier: MIT
# The install tree: bin/ lib/ include/ python/ and the CMake package, or what goes into a wheel. It can
# be moved as a whole.
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

# A wheel has the module at its top and the libraries in a folder beside it; nothing else.
set(library_folder ${CMAKE_INSTALL_LIBDIR})
set(module_folder python)
if(SKBUILD)
    set(library_folder migraphx.libs)
    set(module_folder .)
endif()
install(TARGETS ${libraries} EXPORT migraphx-targets LIBRARY DESTINATION ${library_folder})
get_property(modules GLOBAL PROPERTY MIGRAPHX_MODULES)
install(TARGETS ${modules} LIBRARY DESTINATION ${library_folder})
if(python_module)
    install(TARGETS ${python_module} LIBRARY DESTINATION ${module_folder})
    install(FILES ${CMAKE_BINARY_DIR}/python/migraphx.pyi DESTINATION ${module_folder} OPTIONAL)
endif()

# Libraries of other projects that ours are linked with travel along. oneDNN names its file by full
# version, the loader asks for the SONAME.
if(TARGET migraphx_cpu)
    get_target_property(dnnl_file DNNL::dnnl IMPORTED_LOCATION_RELEASE)
    if(NOT dnnl_file)
        get_target_property(dnnl_file DNNL::dnnl LOCATION)
    endif()
    install(FILES ${dnnl_file} DESTINATION ${library_folder} RENAME libdnnl.so.3)
endif()
file(GLOB gomp ${MIGRAPHX_DEPS}/lib/libgomp*.so*)
if(gomp AND MIGRAPHX_DEPS)
    install(FILES ${gomp} DESTINATION ${library_folder})
endif()
if(SKBUILD)
    return()
endif()

if(driver)
    install(TARGETS ${driver} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(python_module)
    # PYTHONPATH=<prefix>/lib is how existing users find the module.
    install(CODE "file(CREATE_LINK ../python/$<TARGET_FILE_NAME:${python_module}>
        \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/$<TARGET_FILE_NAME:${python_module}>\" SYMBOLIC)")
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/migraphx)
install(EXPORT migraphx-targets NAMESPACE migraphx:: DESTINATION ${package_dir})
configure_package_config_file(cmake/migraphx-config.cmake.in
    ${CMAKE_BINARY_DIR}/migraphx-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/migraphx-config-version.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/migraphx-config.cmake
    ${CMAKE_BINARY_DIR}/migraphx-config-version.cmake DESTINATION ${package_dir})
