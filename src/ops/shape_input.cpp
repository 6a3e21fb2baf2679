// SPDX-License-Identifier: MIT
#include "ops/shape_input.hpp"

#include "ops/expect.hpp"
#include "ops/tensor.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

bool is_absent(const std::vector<shape>& in, std::size_t i) {
    return i >= in.size() or (in[i].ndim() == 0 and in[i].type() != shape::tuple_type);
}

bool is_absent(const std::vector<argument>& in, std::size_t i) {
    return i >= in.size() or
           (in[i].get_shape().ndim() == 0 and in[i].get_shape().type() != shape::tuple_type);
}

std::size_t shape_input_size(const shape& s, const std::string& what) {
    if (s.dynamic() or s.ndim() != 1)
        fail_shape(str(what, ": a 1-D tensor of known length was expected, got ", s));
    if (not shape::is_integral(s.type()))
        fail_shape(str(what, ": integers were expected, got ", s.type_string()));
    return s.lens()[0];
}

std::vector<int64_t> read_integers(const argument& a) {
    return load<int64_t>(a);
}

std::vector<std::size_t> read_sizes(const argument& a, const std::string& what) {
    std::vector<std::size_t> result;
    for (auto n : read_integers(a)) {
        if (n < 0)
            fail_shape(str(what, ": sizes that are not negative were expected, got ", n));
        result.push_back(static_cast<std::size_t>(n));
    }
    return result;
}

std::vector<shape::dynamic_dimension> unknown_dims(std::size_t rank) {
    return std::vector<shape::dynamic_dimension>(rank, {0, unlimited_size});
}

std::vector<shape::dynamic_dimension> up_to_dims(const shape& s) {
    std::vector<shape::dynamic_dimension> result;
    for (auto n : s.max_lens())
        result.emplace_back(std::size_t{0}, n);
    return result;
}

shape tensor_shape(shape::type_t t, const std::vector<std::size_t>& lens) {
    return lens.empty() ? shape{t} : shape{t, lens};
}

shape tensor_shape(shape::type_t t, const std::vector<shape::dynamic_dimension>& dims) {
    return dims.empty() ? shape{t} : shape{t, dims};
}

shape dynamic_shape(const shape& like, shape::type_t t,
                    std::vector<shape::dynamic_dimension> dims) {
    if (like.symbolic())
        for (auto& d : dims)
            if (not d.is_symbolic() and d.is_fixed())
                d = sym::lit(static_cast<int64_t>(d.get_interval().min));
    return {t, std::move(dims)};
}

std::size_t checked_elements(const std::vector<std::size_t>& lens) {
    std::size_t n = 1;
    for (auto x : lens)
        if (__builtin_mul_overflow(n, x, &n))
            fail_shape("dimensions whose product fits the address space were expected");
    return n;
}

} // namespace migraphx
