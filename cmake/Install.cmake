# SPDX-License-Identifier: MIT
# The install tree: bin/ lib/ include/ python/ and the CMake package.
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY MIGRAPHX_LIBRARIES)
get_property(driver GLOBAL PROPERTY MIGRAPHX_DRIVER)
get_property(python_module GLOBAL PROPERTY MIGRAPHX_PYTHON_MODULE)
if(NOT libraries)
    return()
endif()
