// SPDX-License-Identifier: MIT
// What readers of a protobuf model share: the place in the file for messages, and a memory budget.
// Every message that holds lists is walked twice: once to count them, so that each is allocated
// once and within a budget tied to the file's size, once to read it.
#pragma once

#include "import/proto.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

class message_reader {
public:
    explicit message_reader(std::size_t bytes) : m_file_size(bytes), m_left(budget(bytes)) {}

protected:
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

    static constexpr std::size_t no_index = std::numeric_limits<std::size_t>::max();

    std::vector<place> m_path;

private:
    static std::size_t budget(std::size_t file_size);

    std::size_t m_file_size;
    std::size_t m_left;
};

/// Throws for bytes that people take for models: an empty file, a Git LFS pointer. `format` is "an
/// ONNX model" or the like.
void check_model_bytes(std::string_view bytes, std::string_view format);

} // namespace migraphx
