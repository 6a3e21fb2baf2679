// SPDX-License-Identifier: MIT
// The messages of onnx.proto that describe values: tensors, types and shapes.
#include "import/onnx/model_reader.hpp"

namespace migraphx::onnx {

std::pair<std::string_view, std::string_view> read_string_pair(std::string_view message) {
    std::pair<std::string_view, std::string_view> result;
    for (proto::reader r(message); r.next();) {
        if (r.field() == 1)
            result.first = r.bytes();
        else if (r.field() == 2)
            result.second = r.bytes();
    }
    return result;
}

void model_reader::read_tensor(std::string_view message, tensor& out) {
    out.message = message;
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            read_numbers(r, out.dims);
            break;
        case 2:
            out.type = static_cast<element_type>(r.integer32());
            break;
        case 3:
            out.is_segment = true;
            break;
        case 8:
            m_path.back().name = out.name = r.bytes();
            break;
        case 9:
            out.raw = r.bytes();
            out.has_raw = true;
            break;
        case 13:
            read_external(r.bytes(), out);
            break;
        case 14:
            out.is_external = r.integer() == 1;
            break;
        default:
            break;
        }
    }
}

void model_reader::read_external(std::string_view message, tensor& out) {
    const auto [key, value] = read_string_pair(message);
    if (key == "location")
        out.external.location = value;
    else if (key == "offset")
        out.external.offset = value;
    else if (key == "length")
        out.external.length = value;
}

void model_reader::read_sparse(std::string_view message, sparse_tensor& out) {
    for (proto::reader r(message); r.next();) {
        if (r.field() == 1)
            within("values", no_index, [&] { read_tensor(r.bytes(), out.values = {}); });
        else if (r.field() == 2)
            within("indices", no_index, [&] { read_tensor(r.bytes(), out.indices = {}); });
        else if (r.field() == 3)
            read_numbers(r, out.dims);
    }
}

void model_reader::read_value_info(std::string_view message, value_info& out) {
    for (proto::reader r(message); r.next();) {
        if (r.field() == 1)
            m_path.back().name = out.name = r.bytes();
        else if (r.field() == 2)
            read_type(r.bytes(), out.type = {}, 1);
    }
    if (out.name.empty())
        fail("expected a name, got none");
}

void model_reader::read_type(std::string_view message, type_info& out, std::size_t depth) {
    if (depth > max_depth)
        fail("expected at most " + std::to_string(max_depth) +
             " types inside each other, got more");
    for (proto::reader r(message); r.next();) {
        const auto as = [&](type_info::kind kind) -> type_info& {
            out = {};
            out.is = kind;
            return out;
        };
        switch (r.field()) {
        case 1:
            read_tensor_type(r.bytes(), as(type_info::kind::tensor));
            break;
        case 4:
            read_nested_type(r.bytes(), as(type_info::kind::sequence), depth);
            break;
        case 5:
            read_nested_type(r.bytes(), as(type_info::kind::map), depth);
            break;
        case 7:
            as(type_info::kind::opaque);
            break;
        case 8:
            read_tensor_type(r.bytes(), as(type_info::kind::sparse_tensor));
            break;
        case 9:
            read_nested_type(r.bytes(), as(type_info::kind::optional), depth);
            break;
        default:
            break;
        }
    }
}

void model_reader::read_tensor_type(std::string_view message, type_info& out) {
    for (proto::reader r(message); r.next();) {
        if (r.field() == 1) {
            out.elem = static_cast<element_type>(r.integer32());
        } else if (r.field() == 2) {
            out.has_shape = true;
            read_shape(r.bytes(), out);
        }
    }
}

// Sequence and Optional hold their element in field 1; Map holds its key type there and its value
// in field 2.
void model_reader::read_nested_type(std::string_view message, type_info& out, std::size_t depth) {
    const bool is_map = out.is == type_info::kind::map;
    for (proto::reader r(message); r.next();) {
        if (is_map && r.field() == 1) {
            out.key = static_cast<element_type>(r.integer32());
        } else if (r.field() == (is_map ? 2 : 1)) {
            out.element.clear();
            reserve(out.element, 1);
            read_type(r.bytes(), append(out.element), depth + 1);
        }
    }
}

void model_reader::read_shape(std::string_view message, type_info& out) {
    reserve(out.dims, counts<2>(message)[1]);
    for (proto::reader r(message); r.next();) {
        if (r.field() != 1)
            continue;
        dimension& d = append(out.dims);
        for (proto::reader f(r.bytes()); f.next();) {
            if (f.field() == 1) {
                d.is = dimension::kind::value;
                d.value = f.integer();
            } else if (f.field() == 2) {
                d.is = dimension::kind::param;
                d.param = f.bytes();
            }
        }
    }
}

} // namespace migraphx::onnx
