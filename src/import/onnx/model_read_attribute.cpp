// SPDX-License-Identifier: MIT
// AttributeProto: one value, or a list, of any kind.
#include "import/onnx/model_reader.hpp"

namespace migraphx::onnx {

namespace {

// Of a single value that is repeated the last one counts.
template <class T>
T& only(std::vector<T>& list) {
    list.clear();
    return list.emplace_back();
}

} // namespace

void model_reader::read_attribute(std::string_view message, attribute& out, std::size_t depth) {
    const auto n = counts<24>(message);
    reserve(out.strings, n[9]);
    reserve(out.tensors, n[10] + std::min<std::size_t>(n[5], 1));
    reserve(out.graphs, n[11] + std::min<std::size_t>(n[6], 1));
    reserve(out.types, n[15] + std::min<std::size_t>(n[14], 1));
    reserve(out.sparse_tensors, n[23] + std::min<std::size_t>(n[22], 1));
    auto seen = attribute_type::undefined;
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            m_path.back().name = out.name = r.bytes();
            break;
        case 20:
            out.type = static_cast<attribute_type>(r.integer32());
            break;
        case 21:
            out.ref_attr_name = r.bytes();
            break;
        default: {
            auto value = read_plain_value(r, out);
            if (value == attribute_type::undefined)
                value = read_message_value(r, out, depth);
            if (value != attribute_type::undefined)
                seen = value;
            break;
        }
        }
    }
    // Files of IR version 1 do not say the type.
    if (out.type == attribute_type::undefined)
        out.type = seen;
    check_attribute(out);
}

attribute_type model_reader::read_plain_value(const proto::reader& r, attribute& out) {
    switch (r.field()) {
    case 2:
        out.f = r.float32();
        return attribute_type::float_value;
    case 3:
        out.i = r.integer();
        return attribute_type::int_value;
    case 4:
        out.s = r.bytes();
        return attribute_type::string_value;
    case 7:
        read_numbers(r, out.floats);
        return attribute_type::floats;
    case 8:
        read_numbers(r, out.ints);
        return attribute_type::ints;
    case 9:
        append(out.strings) = r.bytes();
        return attribute_type::strings;
    default:
        return attribute_type::undefined;
    }
}

attribute_type model_reader::read_message_value(const proto::reader& r, attribute& out,
                                                std::size_t depth) {
    const auto read_tensor_to = [&](tensor& t) {
        within("tensor", no_index, [&] { read_tensor(r.bytes(), t); });
    };
    const auto read_subgraph_to = [&](graph& g) {
        within("graph", no_index, [&] { read_graph(r.bytes(), g, depth + 1); });
    };
    switch (r.field()) {
    case 5:
        read_tensor_to(only(out.tensors));
        return attribute_type::tensor_value;
    case 6:
        read_subgraph_to(only(out.graphs));
        return attribute_type::graph_value;
    case 10:
        read_tensor_to(append(out.tensors));
        return attribute_type::tensors;
    case 11:
        read_subgraph_to(append(out.graphs));
        return attribute_type::graphs;
    case 14:
        read_type(r.bytes(), only(out.types), 1);
        return attribute_type::type_proto;
    case 15:
        read_type(r.bytes(), append(out.types), 1);
        return attribute_type::type_protos;
    case 22:
        read_sparse(r.bytes(), only(out.sparse_tensors));
        return attribute_type::sparse_tensor;
    case 23:
        read_sparse(r.bytes(), append(out.sparse_tensors));
        return attribute_type::sparse_tensors;
    default:
        return attribute_type::undefined;
    }
}

void model_reader::check_attribute(const attribute& a) const {
    if (a.name.empty())
        fail("expected a name, got none");
    if (!a.ref_attr_name.empty())
        return;
    const auto one = [&](std::size_t n, const char* what) {
        if (n != 1)
            fail(std::string("expected one ") + what + " as its type says, got " +
                 std::to_string(n));
    };
    if (a.type == attribute_type::tensor_value)
        one(a.tensors.size(), "tensor");
    else if (a.type == attribute_type::graph_value)
        one(a.graphs.size(), "graph");
    else if (a.type == attribute_type::sparse_tensor)
        one(a.sparse_tensors.size(), "sparse tensor");
    else if (a.type == attribute_type::type_proto)
        one(a.types.size(), "type");
}

} // namespace migraphx::onnx
