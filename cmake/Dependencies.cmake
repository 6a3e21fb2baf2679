# SPDX-License-Identifier: MIT
# Finds what the product is built from. PyPI packages (oneDNN, nanobind) are looked for in a virtual
# environment: -DMIGRAPHX_DEPS, environment MIGRAPHX_DEPS, then build/deps as tools/install_deps.sh
# makes it; a system oneDNN >= 3.2 serves as well. -DDNNL_ROOT comes before all of these.
if(NOT MIGRAPHX_DEPS)
    if(DEFINED ENV{MIGRAPHX_DEPS})
        set(MIGRAPHX_DEPS "$ENV{MIGRAPHX_DEPS}")
    elseif(SKBUILD) # the environment that pip made for this build; nanobind lies five folders deep in it
        execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
            OUTPUT_VARIABLE MIGRAPHX_DEPS OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
        string(REGEX REPLACE "(/[^/]+)(/[^/]+)(/[^/]+)(/[^/]+)(/[^/]+)$" "" MIGRAPHX_DEPS
            "${MIGRAPHX_DEPS}")
    elseif(EXISTS ${CMAKE_SOURCE_DIR}/build/deps/pyvenv.cfg)
        set(MIGRAPHX_DEPS ${CMAKE_SOURCE_DIR}/build/deps)
    endif()
endif()
set(MIGRAPHX_DEPS "${MIGRAPHX_DEPS}" CACHE PATH "Virtual environment with the PyPI dependencies")

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:${OpenMP_CXX_FLAGS}>)

# msgpack-cxx is used without its optional Boost parts.
add_compile_definitions(MSGPACK_NO_BOOST)

# oneDNN 3.2 or newer
if(NOT TARGET DNNL::dnnl)
    set(dnnl_hints ${DNNL_ROOT} ${MIGRAPHX_DEPS})
    find_package(dnnl 3.2 CONFIG QUIET HINTS ${dnnl_hints})
    if(NOT TARGET DNNL::dnnl)
        message(WARNING "oneDNN >= 3.2 was not found: the cpu target is left out. "
                        "Run tools/install_deps.sh, or pass -DDNNL_ROOT=<prefix>.")
    else()
        message(STATUS "oneDNN ${dnnl_VERSION}: ${dnnl_DIR}")
    endif()
endif()

# LLVM, for generated code; without it the tile machine runs everything.
find_package(LLVM 19.1 CONFIG QUIET HINTS /usr/lib/llvm-19)
if(NOT LLVM_FOUND)
    message(STATUS "LLVM 19 was not found: code generation is left out")
endif()

# Python and nanobind, of the same virtual environment
if(MIGRAPHX_PYTHON)
    if(MIGRAPHX_DEPS AND NOT Python_EXECUTABLE AND EXISTS ${MIGRAPHX_DEPS}/bin/python)
        set(Python_EXECUTABLE ${MIGRAPHX_DEPS}/bin/python)
    endif()
    find_package(Python 3.9 COMPONENTS Interpreter Development.Module)
    if(Python_Development.Module_FOUND)
        execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
            OUTPUT_VARIABLE nanobind_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        find_package(nanobind CONFIG QUIET HINTS ${nanobind_dir})
    endif()
    if(NOT nanobind_FOUND)
        message(STATUS "Python headers or nanobind were not found: the Python module is left out")
        set(MIGRAPHX_PYTHON OFF)
    endif()
endif()
