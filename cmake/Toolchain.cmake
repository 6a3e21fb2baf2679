# SPDX-License-Identifier: MIT
# Language level, warnings, linker, compiler cache, sanitizers and output folders.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET default)

set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# The install tree can be moved: every binary finds its libraries relative to itself.
set(CMAKE_INSTALL_LIBDIR lib)
include(GNUInstallDirs)
set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/../lib")
set(CMAKE_BUILD_RPATH "$ORIGIN;$ORIGIN/../lib")

add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>)

if(NOT CMAKE_CXX_FLAGS MATCHES "-fuse-ld")
    find_program(MIGRAPHX_LLD NAMES ld.lld ld.lld-19 ld.lld-14)
    mark_as_advanced(MIGRAPHX_LLD)
    if(MIGRAPHX_LLD MATCHES "ld.lld$")
        add_link_options(-fuse-ld=lld)
    endif()
endif()

find_program(MIGRAPHX_CCACHE ccache)
mark_as_advanced(MIGRAPHX_CCACHE)
if(MIGRAPHX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # A precompiled header defeats the cache without these; see "Precompiled headers" in ccache(1).
    set(launcher ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${MIGRAPHX_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND MIGRAPHX_PCH)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

if(MIGRAPHX_SANITIZE)
    add_compile_options(-fsanitize=${MIGRAPHX_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${MIGRAPHX_SANITIZE})
endif()

if(MIGRAPHX_TIDY)
    find_program(MIGRAPHX_CLANG_TIDY NAMES clang-tidy clang-tidy-19 clang-tidy-14 REQUIRED)
    set(CMAKE_CXX_CLANG_TIDY ${MIGRAPHX_CLANG_TIDY} --quiet)
endif()
