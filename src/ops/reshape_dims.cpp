// SPDX-License-Identifier: MIT
#include "ops/reshape_dims.hpp"

#include "ops/expect.hpp"
#include "ops/shape_input.hpp"

namespace migraphx {

namespace {

std::string list_of(const std::vector<int64_t>& dims) {
    std::string s;
    for (auto d : dims)
        s += (s.empty() ? "" : ", ") + std::to_string(d);
    return "{" + s + "}";
}

// The result but for the inferred dimension, whose position is returned; -1 when there is none.
// `rest` is the product of the input's dimensions that are not copied, `known` that of the
// result's: a copied dimension stands on both sides, so that even one of size 0 leaves the others
// defined.
template <class Dim>
int64_t place_dims(const std::vector<Dim>& in, const std::vector<int64_t>& dims, bool keep_zero,
                   std::vector<Dim>& out, Dim& rest, Dim& known) {
    int64_t inferred = -1;
    std::vector<bool> copied(in.size(), false);
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] == 0 and not keep_zero) {
            if (i >= in.size())
                fail_shape(str("0 in dims ", list_of(dims),
                               " copies a dimension of the input; rank above ", i,
                               " was expected, got ", in.size()));
            copied[i] = true;
            out.push_back(in[i]);
        } else if (dims[i] == -1) {
            if (inferred >= 0)
                fail_shape("at most one -1 in dims was expected, got " + list_of(dims));
            inferred = static_cast<int64_t>(i);
            out.push_back(Dim{});
        } else if (dims[i] < -1) {
            fail_shape("dims of -1 or more were expected, got " + list_of(dims));
        } else {
            const auto n = static_cast<std::size_t>(dims[i]);
            if constexpr (std::is_same_v<Dim, std::size_t>) {
                out.push_back(n);
                known = checked_elements({known, n});
            } else {
                out.push_back(Dim{n, n});
                known = known * n;
            }
        }
    }
    for (std::size_t i = 0; i < in.size(); ++i)
        if (not copied[i])
            rest = rest * in[i];
    return inferred;
}

} // namespace

std::vector<std::size_t> reshaped_lens(const std::vector<std::size_t>& lens,
                                       const std::vector<int64_t>& dims, bool keep_zero) {
    std::vector<std::size_t> out;
    std::size_t rest = 1, known = 1;
    const auto inferred = place_dims(lens, dims, keep_zero, out, rest, known);
    const auto mismatch = [&] {
        fail_shape(str("dims with as many elements as the input were expected, got ", list_of(dims),
                       " for ", checked_elements(lens), " elements"));
    };
    if (inferred >= 0) {
        if (known == 0)
            fail_shape(str("dims whose -1 can be inferred were expected, got ", list_of(dims)));
        if (rest % known != 0)
            mismatch();
        out[static_cast<std::size_t>(inferred)] = rest / known;
    }
    if (checked_elements(out) != checked_elements(lens))
        mismatch();
    return out;
}

std::vector<shape::dynamic_dimension> reshaped_dims(const std::vector<shape::dynamic_dimension>& in,
                                                    const std::vector<int64_t>& dims) {
    using dim = shape::dynamic_dimension;
    std::vector<dim> out;
    dim rest{1, 1}, known{1, 1};
    const auto inferred = place_dims(in, dims, false, out, rest, known);
    if (inferred >= 0) {
        if (known == 0)
            fail_shape(str("dims whose -1 can be inferred were expected, got ", list_of(dims)));
        out[static_cast<std::size_t>(inferred)] = rest / known;
    }
    return out;
}

} // namespace migraphx
