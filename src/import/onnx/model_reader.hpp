// SPDX-License-Identifier: MIT
// The recursive reader behind read_model(); private to model_read*.cpp.
#pragma once

#include "import/message_reader.hpp"
#include "import/onnx/model.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace migraphx::onnx {

/// A StringStringEntryProto: its key and its value.
std::pair<std::string_view, std::string_view> read_string_pair(std::string_view message);

class model_reader : private message_reader {
public:
    explicit model_reader(model& m) : message_reader(m.from->bytes.size()), m_model(m) {}

    /// Fills the model from its source. Throws an exception that names the place in the file.
    void read();

private:
    void read_opset(std::string_view message, opset_map& out);
    void read_model_proto(std::string_view message);
    void read_function(std::string_view message, function& out);
    void read_graph(std::string_view message, graph& out, std::size_t depth);
    void read_node(std::string_view message, node& out, std::size_t depth);
    void read_attribute(std::string_view message, attribute& out, std::size_t depth);
    // The type of the value that the field holds, undefined when it is no such value.
    attribute_type read_plain_value(const proto::reader& r, attribute& out);
    attribute_type read_message_value(const proto::reader& r, attribute& out, std::size_t depth);
    void check_attribute(const attribute& a) const;
    void read_tensor(std::string_view message, tensor& out);
    void read_external(std::string_view message, tensor& out);
    void read_sparse(std::string_view message, sparse_tensor& out);
    void read_value_info(std::string_view message, value_info& out);
    void read_type(std::string_view message, type_info& out, std::size_t depth);
    void read_tensor_type(std::string_view message, type_info& out);
    void read_nested_type(std::string_view message, type_info& out, std::size_t depth);
    void read_shape(std::string_view message, type_info& out);

    static constexpr std::size_t max_depth = 64;

    model& m_model;
};

} // namespace migraphx::onnx
