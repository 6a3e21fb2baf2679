// SPDX-License-Identifier: MIT
// Memory straight from the system, of a size that shares no heap with small blocks: what is given
// back leaves the process, and nothing that lives on keeps the pages around it.
#pragma once

#include <cstddef>

namespace migraphx {

constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Never touched before: physical pages come with the first write, where the thread runs that
/// writes. From 4 MiB on it starts at a huge page and asks for such. Throws when there is none.
class mapping {
public:
    explicit mapping(std::size_t bytes);
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping();

    char* data() const { return first; }
    bool is_huge() const { return huge; }

private:
    bool huge;
    std::size_t mapped;
    char* map = nullptr;
    char* first = nullptr;
};

} // namespace migraphx
