// SPDX-License-Identifier: MIT
// The recursive reader behind read_model(); private to model_read*.cpp. Every message that holds
// lists is walked twice: once to count them, so that each is allocated once and within a budget
// tied to the file's size, once to read it.
#pragma once

#include "import/onnx/model.hpp"
#include "import/proto.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace migraphx::onnx {

/// A StringStringEntryProto: its key and its value.
std::pair<std::string_view, std::string_view> read_string_pair(std::string_view message);

class model_reader {
public:
    explicit model_reader(model& m) : m_model(m), m_left(budget(m.from->bytes.size())) {}

    /// Fills the model from its source. Throws an exception that names the place in the file.
    void read();

private:
    struct place {
        std::string_view kind;
        std::size_t index;
        std::string_view name;
        std::string_view op_type;
    };

    [[noreturn]] void fail(const std::string& text) const;

    // Runs f as the reader of a part, which errors name. The path is left as it is on an error.
    template <class F>
    void within(std::string_view kind, std::size_t index, F f) {
        m_path.push_back({kind, index, {}, {}});
        f();
        m_path.pop_back();
    }

    // Takes from the memory budget.
    void charge(std::size_t bytes);

    template <class T>
    void reserve(std::vector<T>& v, std::size_t extra) {
        charge(extra * sizeof(T));
        if (v.size() + extra > v.capacity())
            v.reserve(std::max(v.size() + extra, v.empty() ? 0 : 2 * v.capacity()));
    }

    template <class T>
    T& append(std::vector<T>& v) {
        return v.emplace_back();
    }

    template <std::size_t N>
    static std::array<std::size_t, N> counts(std::string_view message) {
        std::array<std::size_t, N> result{};
        proto::count_fields(message, result);
        return result;
    }

    // A repeated number field, packed or not.
    template <class T>
    void read_numbers(const proto::reader& r, std::vector<T>& out) {
        charge(r.wire() == proto::wire_type::bytes ? proto::packed_varints(r.bytes()) * sizeof(T)
                                                   : sizeof(T));
        r.append_to(out);
    }

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

    static std::size_t budget(std::size_t file_size);
    static constexpr std::size_t max_depth = 64;
    static constexpr std::size_t no_index = std::numeric_limits<std::size_t>::max();

    model& m_model;
    std::size_t m_left;
    std::vector<place> m_path;
};

} // namespace migraphx::onnx
