// SPDX-License-Identifier: MIT
// Tensor lists, which loops fill and empty: a tensor with one more dimension, in front.
#include "import/tf/importer.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>

namespace migraphx::tf {

namespace {

instruction_ref zeros(const node_reader& n, shape::type_t t, const ints& dims) {
    return n.contiguous(n.broadcast_to(n.scalar(t, 0), dims));
}

instructions read_reserve(node_reader& n) {
    n.expect_inputs(2);
    auto dims = n.constant_ints(0, "element_shape");
    const auto count = n.constant_int(1, "num_elements");
    if (count < 0 or count > 1 << 28)
        n.malformed(str("num_elements of 0 or more was expected, got ", count));
    // A number -1 in place of a list stands for any rank.
    const bool is_open =
        n.rank(0) == 0 or std::any_of(dims.begin(), dims.end(), [](auto d) { return d < 0; });
    if (n.rank(0) == 0)
        dims.clear();
    for (auto& d : dims)
        d = std::max<int64_t>(d, 1);
    dims.insert(dims.begin(), count);
    const auto list = zeros(n, n.type("element_dtype"), dims);
    if (is_open)
        n.whole().note_open_list(list);
    return {list};
}

instructions read_set_item(node_reader& n) {
    n.expect_inputs(3);
    auto list = n.input(0);
    auto dims = n.dims(2);
    dims.insert(dims.begin(), n.dims(list).at(0));
    // The first element of a list whose elements had no shape decides it.
    if (n.dims(list) != dims)
        list = zeros(n, n.type_of(2), dims);
    const auto index = n.reshape(n.convert(n.input(1), shape::int64_type), {1, 1});
    return {n.add("scatternd_none", list, index, n.unsqueeze(n.input(2), {0}))};
}

instructions read_get_item(node_reader& n) {
    n.expect_inputs(2, 3);
    const auto index = n.to_scalar(n.input(1));
    const auto y = n.add(make_op("gather", {{"axis", 0}}), {n.input(0), index});
    return {n.rank(0) == 1 ? n.to_scalar(y) : y};
}

instructions read_whole(node_reader& n) {
    n.expect_inputs(1, 2);
    return {n.input(0)};
}

instructions read_length(node_reader& n) {
    n.expect_inputs(1);
    return {n.scalar(shape::int32_type, double(n.dims(0).at(0)))};
}

const operators tensor_list_operators{
    {"TensorListReserve", read_reserve, "constant element_shape and num_elements"},
    {"TensorListSetItem", read_set_item, "elements of one shape"},
    {"TensorListGetItem", read_get_item},
    {"TensorListStack", read_whole},
    {"TensorListFromTensor", read_whole},
    {"TensorListLength", read_length}};

} // namespace

} // namespace migraphx::tf
