// SPDX-License-Identifier: MIT
// The messages of onnx.proto that make up the structure of a model: graphs, nodes and functions.
#include "import/onnx/external.hpp"
#include "import/onnx/model_reader.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <filesystem>

namespace migraphx::onnx {

namespace {

std::string_view normalized_domain(std::string_view domain) {
    return domain == "ai.onnx" ? "" : domain;
}

} // namespace

void model_reader::read() {
    try {
        read_model_proto(m_model.from->bytes);
    } catch (const proto::wire_error& e) {
        fail(e.what());
    }
}

void model_reader::read_opset(std::string_view message, opset_map& out) {
    std::string_view domain;
    std::int64_t version = 0;
    for (proto::reader r(message); r.next();) {
        if (r.field() == 1)
            domain = normalized_domain(r.bytes());
        else if (r.field() == 2)
            version = r.integer();
    }
    if (version < 1)
        fail("expected an opset version of at least 1 for domain " + in_quotes(domain) + ", got " +
             std::to_string(version));
    charge(sizeof(opset_map::value_type) + 4 * sizeof(void*));
    auto [it, is_new] = out.emplace(domain, version);
    if (!is_new)
        it->second = std::max(it->second, version);
}

void model_reader::read_model_proto(std::string_view message) {
    const auto n = counts<26>(message);
    reserve(m_model.metadata_props, n[14]);
    reserve(m_model.functions, n[25]);
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            m_model.ir_version = r.integer();
            break;
        case 2:
            m_model.producer_name = r.bytes();
            break;
        case 3:
            m_model.producer_version = r.bytes();
            break;
        case 4:
            m_model.domain = r.bytes();
            break;
        case 5:
            m_model.model_version = r.integer();
            break;
        case 6:
            m_model.doc_string = r.bytes();
            break;
        case 7:
            within("graph", no_index, [&] { read_graph(r.bytes(), m_model.graph, 1); });
            break;
        case 8:
            read_opset(r.bytes(), m_model.opset_imports);
            break;
        case 14:
            append(m_model.metadata_props) = read_string_pair(r.bytes());
            break;
        case 25:
            within("function", m_model.functions.size(),
                   [&] { read_function(r.bytes(), append(m_model.functions)); });
            break;
        default:
            break;
        }
    }
    if (n[7] == 0)
        fail("expected an ONNX model, got bytes that hold no graph");
}

void model_reader::read_function(std::string_view message, function& out) {
    const auto n = counts<14>(message);
    reserve(out.inputs, n[4]);
    reserve(out.outputs, n[5]);
    reserve(out.attributes, n[6]);
    reserve(out.nodes, n[7]);
    reserve(out.attribute_defaults, n[11]);
    reserve(out.value_infos, n[12]);
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            m_path.back().name = out.name = r.bytes();
            break;
        case 4:
            append(out.inputs) = r.bytes();
            break;
        case 5:
            append(out.outputs) = r.bytes();
            break;
        case 6:
            append(out.attributes) = r.bytes();
            break;
        case 7:
            within("node", out.nodes.size(), [&] { read_node(r.bytes(), append(out.nodes), 1); });
            break;
        case 9:
            read_opset(r.bytes(), out.opset_imports);
            break;
        case 10:
            out.domain = normalized_domain(r.bytes());
            break;
        case 11:
            within("attribute", out.attribute_defaults.size(),
                   [&] { read_attribute(r.bytes(), append(out.attribute_defaults), 1); });
            break;
        case 12:
            within("value", out.value_infos.size(),
                   [&] { read_value_info(r.bytes(), append(out.value_infos)); });
            break;
        case 13:
            out.overload = r.bytes();
            break;
        default:
            break;
        }
    }
    if (out.name.empty())
        fail("expected a name, got none");
}

void model_reader::read_graph(std::string_view message, graph& out, std::size_t depth) {
    if (depth > max_depth)
        fail("expected at most " + std::to_string(max_depth) +
             " graphs inside each other, got more");
    const auto n = counts<16>(message);
    reserve(out.nodes, n[1]);
    reserve(out.initializers, n[5]);
    reserve(out.inputs, n[11]);
    reserve(out.outputs, n[12]);
    reserve(out.value_infos, n[13]);
    reserve(out.sparse_initializers, n[15]);
    const auto value = [&](std::string_view kind, std::string_view bytes,
                           std::vector<value_info>& list) {
        within(kind, list.size(), [&] { read_value_info(bytes, append(list)); });
    };
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            within("node", out.nodes.size(),
                   [&] { read_node(r.bytes(), append(out.nodes), depth); });
            break;
        case 2:
            m_path.back().name = out.name = r.bytes();
            break;
        case 5:
            within("initializer", out.initializers.size(),
                   [&] { read_tensor(r.bytes(), append(out.initializers)); });
            break;
        case 11:
            value("input", r.bytes(), out.inputs);
            break;
        case 12:
            value("output", r.bytes(), out.outputs);
            break;
        case 13:
            value("value", r.bytes(), out.value_infos);
            break;
        case 15:
            within("sparse initializer", out.sparse_initializers.size(),
                   [&] { read_sparse(r.bytes(), append(out.sparse_initializers)); });
            break;
        default:
            break;
        }
    }
}

void model_reader::read_node(std::string_view message, node& out, std::size_t depth) {
    const auto n = counts<9>(message);
    reserve(out.inputs, n[1]);
    reserve(out.outputs, n[2]);
    reserve(out.attributes, n[5]);
    for (proto::reader r(message); r.next();) {
        switch (r.field()) {
        case 1:
            append(out.inputs) = r.bytes();
            break;
        case 2:
            append(out.outputs) = r.bytes();
            break;
        case 3:
            m_path.back().name = out.name = r.bytes();
            break;
        case 4:
            m_path.back().op_type = out.op_type = r.bytes();
            break;
        case 5:
            within("attribute", out.attributes.size(),
                   [&] { read_attribute(r.bytes(), append(out.attributes), depth); });
            break;
        case 7:
            out.domain = normalized_domain(r.bytes());
            break;
        case 8:
            out.overload = r.bytes();
            break;
        default:
            break;
        }
    }
    if (out.op_type.empty())
        fail("expected an operator type, got none");
}

namespace {

std::string folder_of(const std::string& file_name) {
    const auto folder = std::filesystem::path(file_name).parent_path();
    return folder.empty() ? "." : folder.string();
}

model read_from(std::shared_ptr<const source> from) {
    model result;
    result.from = std::move(from);
    with_context(
        [&] {
            check_model_bytes(result.from->bytes, "an ONNX model");
            model_reader(result).read();
        },
        [&] { return "while reading " + result.from->name; });
    return result;
}

} // namespace

const attribute* node::find(std::string_view attribute_name) const {
    const auto it = std::find_if(attributes.begin(), attributes.end(),
                                 [&](const attribute& a) { return a.name == attribute_name; });
    return it == attributes.end() ? nullptr : &*it;
}

model read_model(const std::string& file_name, const read_options& options) {
    auto from = std::make_shared<source>();
    from->name = file_name;
    from->file = map_file(file_name);
    from->bytes = from->file->view();
    from->owner = from->file;
    from->external = std::make_shared<external_files>(
        options.external_data_path.empty() ? folder_of(file_name) : options.external_data_path);
    return read_from(std::move(from));
}

model read_model(const void* data, std::size_t size, std::shared_ptr<const void> owner,
                 const read_options& options) {
    auto from = std::make_shared<source>();
    from->name = "model in memory";
    from->bytes = {static_cast<const char*>(data), data == nullptr ? 0 : size};
    from->owner = std::move(owner);
    if (from->owner == nullptr) {
        auto copy = std::make_shared<std::string>(from->bytes);
        from->bytes = *copy;
        from->owner = std::move(copy);
    }
    from->external = std::make_shared<external_files>(
        options.external_data_path.empty() ? "." : options.external_data_path);
    return read_from(std::move(from));
}

} // namespace migraphx::onnx
