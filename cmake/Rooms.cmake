# SPDX-License-Identifier: MIT
# Functions that turn a folder of sources (a room) into libraries and programs. Folders that hold no
# source yet are skipped, and so is whatever depends on them.

# The flags every room shares; the precompiled header is built once with them.
add_library(mgx_flags INTERFACE)
target_include_directories(mgx_flags INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)
if(MIGRAPHX_PCH)
    add_library(mgx_pch OBJECT cmake/pch.cpp)
    target_link_libraries(mgx_pch PRIVATE mgx_flags)
    target_precompile_headers(mgx_pch PRIVATE cmake/pch.hpp)
endif()

# room_sources(<out> <folder> [EXCLUDE <regex>])
function(room_sources out folder)
    cmake_parse_arguments(arg "" "EXCLUDE" "" ${ARGN})
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    if(arg_EXCLUDE)
        list(FILTER files EXCLUDE REGEX ${arg_EXCLUDE})
    endif()
    set(${out} ${files} PARENT_SCOPE)
endfunction()

function(use_pch target)
    if(MIGRAPHX_PCH)
        target_precompile_headers(${target} REUSE_FROM mgx_pch)
    endif()
endfunction()

# add_room(<name> <folder> [EXCLUDE <regex>]): object library mgx_<name>. Being objects, not
# an archive, the static registrars of the room are all kept.
function(add_room name folder)
    cmake_parse_arguments(arg "" "EXCLUDE" "" ${ARGN})
    room_sources(files ${folder} EXCLUDE ${arg_EXCLUDE})
    if(NOT files)
        return()
    endif()
    add_library(mgx_${name} OBJECT ${files})
    target_link_libraries(mgx_${name} PRIVATE mgx_flags)
    use_pch(mgx_${name})
endfunction()

# add_room_library(<lib> ROOMS <room>... [LINK <lib>...] [OPTIONAL_LINK <lib>...])
# The shared library of these rooms, when any of them has sources and all of LINK's own libraries exist.
function(add_room_library lib)
    cmake_parse_arguments(arg "" "" "ROOMS;LINK;OPTIONAL_LINK" ${ARGN})
    set(objects)
    foreach(room ${arg_ROOMS})
        if(TARGET mgx_${room})
            list(APPEND objects $<TARGET_OBJECTS:mgx_${room}>)
        endif()
    endforeach()
    if(NOT objects OR ("migraphx" IN_LIST arg_LINK AND NOT TARGET migraphx))
        return()
    endif()
    add_library(${lib} SHARED ${objects})
    set_target_properties(${lib} PROPERTIES LINKER_LANGUAGE CXX DEFINE_SYMBOL "")
    if(NOT SKBUILD) # a wheel cannot hold links
        set_target_properties(${lib} PROPERTIES
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    endif()
    target_include_directories(${lib} PUBLIC
        $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
    # Threads of the pool run its code until the process ends.
    target_link_options(${lib} PRIVATE -Wl,-z,nodelete)
    foreach(dep ${arg_LINK} ${arg_OPTIONAL_LINK})
        if(dep STREQUAL "migraphx")
            target_link_libraries(${lib} PUBLIC ${dep})
        elseif(NOT dep IN_LIST arg_OPTIONAL_LINK OR TARGET ${dep})
            target_link_libraries(${lib} PRIVATE ${dep})
        endif()
    endforeach()
    set_property(GLOBAL APPEND PROPERTY MIGRAPHX_LIBRARIES ${lib})
endfunction()

# add_kernel_library(<lib> <folder>): adds the kernels of <folder> to <lib>. Each <folder>/*.cpp is
# compiled once per instruction set with KERNEL_ISA=<level>, <folder>/amx/*.cpp for that level only.
# Baseline objects come first in the link, so inline functions that several levels share resolve to
# code that runs everywhere.
function(add_kernel_library lib folder)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    if(NOT files OR NOT TARGET ${lib} OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        return()
    endif()
    set(flags_baseline -msse4.2)
    set(flags_avx2 -mavx2 -mfma -mf16c)
    set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c)
    set(flags_amx ${flags_avx512} -mamx-tile -mamx-bf16)
    file(GLOB files_amx CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/amx/*.cpp)
    set(optimise -O3 -fno-math-errno -fno-trapping-math)
    if(MIGRAPHX_SANITIZE)
        set(optimise -O1)
    endif()
    foreach(isa baseline avx2 avx512 amx)
        set(target ${lib}_kernels_${isa})
        if(isa STREQUAL "amx")
            set(files ${files_amx})
        endif()
        add_library(${target} OBJECT ${files})
        target_link_libraries(${target} PRIVATE mgx_flags)
        target_compile_definitions(${target} PRIVATE KERNEL_ISA=${isa})
        target_compile_options(${target} PRIVATE
            ${optimise} ${flags_${isa}} -fvisibility-inlines-hidden)
        target_sources(${lib} PRIVATE $<TARGET_OBJECTS:${target}>)
    endforeach()
endfunction()

# add_jit_library(<lib> <folder>): the code generator, with the parts of LLVM that it needs inside. It
# is a module that libmigraphx_cpu opens when it is there; nothing of LLVM is visible outside.
function(add_jit_library lib folder)
    room_sources(files ${folder})
    if(NOT files OR NOT TARGET migraphx_cpu OR NOT LLVM_FOUND)
        return()
    endif()
    add_library(${lib} MODULE ${files})
    llvm_map_components_to_libnames(llvm_libs x86codegen x86desc x86info core mc support target)
    target_include_directories(${lib} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
    target_link_libraries(${lib} PRIVATE mgx_flags ${llvm_libs})
    target_link_options(${lib} PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,-Bsymbolic)
    target_compile_options(${lib} PRIVATE -fvisibility=hidden -fvisibility-inlines-hidden)
    set_property(GLOBAL APPEND PROPERTY MIGRAPHX_MODULES ${lib})
endfunction()

# add_device_code(<target> <folder>): the headers that generated kernels include travel in the
# library as text: device_headers() of targets/gpu/device_code/headers.hpp.
function(add_device_code target folder)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cuh)
    set(out ${CMAKE_BINARY_DIR}/device_code.cpp)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DOUT=${out}
            -P ${CMAKE_SOURCE_DIR}/cmake/DeviceCode.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/DeviceCode.cmake VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()

# link_engine(<target>): everything a program of the project may use.
function(link_engine target)
    foreach(lib migraphx migraphx_onnx migraphx_tf migraphx_cpu)
        if(TARGET ${lib})
            target_link_libraries(${target} PRIVATE ${lib})
        endif()
    endforeach()
endfunction()

# add_driver(<name> <folder>)
function(add_driver name folder)
    room_sources(files ${folder})
    if(NOT files OR NOT TARGET migraphx)
        return()
    endif()
    add_executable(${name} ${files})
    target_link_libraries(${name} PRIVATE mgx_flags)
    link_engine(${name})
    set_property(GLOBAL PROPERTY MIGRAPHX_DRIVER ${name})
endfunction()

# add_python_module(<target> <folder>): the module `migraphx` and its type stubs, built into
# <build>/python.
function(add_python_module target folder)
    room_sources(files ${folder})
    if(NOT files OR NOT TARGET migraphx)
        return()
    endif()
    nanobind_add_module(${target} NB_STATIC NOMINSIZE ${files})
    target_link_libraries(${target} PRIVATE mgx_flags)
    link_engine(${target})
    target_compile_definitions(${target} PRIVATE MIGRAPHX_VERSION="${PROJECT_VERSION}")
    set_target_properties(${target} PROPERTIES OUTPUT_NAME migraphx
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/python
        INSTALL_RPATH "$ORIGIN/$<IF:$<BOOL:${SKBUILD}>,migraphx.libs,../lib>")
    set_property(GLOBAL PROPERTY MIGRAPHX_PYTHON_MODULE ${target})
    if(NOT MIGRAPHX_SANITIZE)
        nanobind_add_stub(${target}_stub MODULE migraphx DEPENDS ${target}
            PYTHON_PATH ${CMAKE_BINARY_DIR}/python OUTPUT ${CMAKE_BINARY_DIR}/python/migraphx.pyi)
    endif()
endfunction()
