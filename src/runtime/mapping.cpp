// SPDX-License-Identifier: MIT
#include "runtime/mapping.hpp"

#include <migraphx/errors.hpp>

#include <cstdint>
#include <string>

#include <sys/mman.h>

namespace migraphx {

mapping::mapping(std::size_t bytes)
    : huge(bytes >= 2 * huge_page), mapped(huge ? bytes + huge_page : bytes) {
    void* p = mapped < bytes ? MAP_FAILED
                             : ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        fail(error_kind::io, "memory: " + std::to_string(bytes) + " bytes were expected, got none");
    map = first = static_cast<char*>(p);
    if (not huge)
        return;
    first += (huge_page - reinterpret_cast<std::uintptr_t>(map) % huge_page) % huge_page;
    ::madvise(first, bytes, MADV_HUGEPAGE);
}

mapping::~mapping() {
    ::munmap(map, mapped);
}

} // namespace migraphx
