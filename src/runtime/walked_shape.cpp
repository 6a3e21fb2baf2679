// SPDX-License-Identifier: MIT
#include "runtime/walked_shape.hpp"

namespace migraphx {

sizes lens_of(const shape& s) {
    return {s.lens().begin(), s.lens().end()};
}

sizes strides_of(const shape& s) {
    sizes result(s.strides().begin(), s.strides().end());
    for (std::size_t i = 0; i < result.size(); i++)
        if (s.lens()[i] == 1)
            result[i] = 0;
    return result;
}

sizes row_major_strides(const sizes& lens) {
    sizes result(lens.size());
    int64_t step = 1;
    for (std::size_t i = lens.size(); i-- > 0;) {
        result[i] = step;
        step *= lens[i];
    }
    return result;
}

bool is_dense(const shape& s) {
    const auto lens = lens_of(s), wanted = row_major_strides(lens);
    for (std::size_t i = 0; i < lens.size(); i++)
        if (lens[i] != 1 and int64_t(s.strides()[i]) != wanted[i])
            return s.elements() == 0;
    return true;
}

std::size_t span_bytes(const shape& s) {
    return s.elements() == 0 ? 0 : s.element_space() * s.type_size();
}

std::vector<shape> leaves_of(const shape& s) {
    return s.type() == shape::tuple_type ? leaves_of(s.sub_shapes()) : std::vector<shape>{s};
}

std::vector<shape> leaves_of(const std::vector<shape>& shapes) {
    std::vector<shape> result;
    for (const auto& s : shapes)
        for (auto& leaf : leaves_of(s))
            result.push_back(std::move(leaf));
    return result;
}

} // namespace migraphx
