// SPDX-License-Identifier: MIT
// JSON reading. The parser is nlohmann-json's event interface; no other file sees that library.
#include <migraphx/json.hpp>

#include "base/str.hpp"

#include <nlohmann/json.hpp>

namespace migraphx {
namespace {

constexpr std::size_t json_depth_limit = 512;

// Builds the value from events. A list under construction is collected in the frame on top.
class json_builder : public nlohmann::json_sax<nlohmann::json> {
public:
    value take() { return std::move(result); }
    std::string error;

    bool null() override { return add({}); }
    bool boolean(bool x) override { return add(value(x)); }
    bool number_integer(std::int64_t x) override { return add(value(x)); }
    bool number_unsigned(std::uint64_t x) override { return add(value(x)); }
    bool number_float(double x, const std::string&) override { return add(value(x)); }
    bool string(std::string& x) override { return add(value(x)); }
    bool binary(nlohmann::json::binary_t&) override { return false; }
    bool start_object(std::size_t) override { return start(true); }
    bool start_array(std::size_t) override { return start(false); }
    bool key(std::string& k) override {
        frames.back().key = k;
        frames.back().has_key = true;
        return true;
    }
    bool end_object() override {
        auto items = std::move(frames.back().items);
        frames.pop_back();
        return add(as_object(std::move(items)));
    }
    bool end_array() override {
        value v(std::move(frames.back().items), true);
        frames.pop_back();
        return add(std::move(v));
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& e) override {
        error = e.what();
        return false;
    }

private:
    struct frame {
        bool object = false;
        bool has_key = false;
        std::string key;
        value::array items;
    };

    bool start(bool object) {
        if (frames.size() >= json_depth_limit) {
            error = str("nested deeper than ", json_depth_limit);
            return false;
        }
        frames.push_back(frame{object, false, {}, {}});
        return true;
    }

    bool add(value&& v) {
        if (frames.empty()) {
            result = std::move(v);
            return true;
        }
        auto& top = frames.back();
        if (top.object)
            top.items.emplace_back(named(top.key), std::move(v));
        else
            top.items.push_back(std::move(v));
        return true;
    }

    // Values cannot have an empty key.
    static std::string named(const std::string& k) { return k.empty() ? "\"\"" : k; }

    static value as_object(value::array&& items) {
        if (items.size() == 1 and items[0].get_key() == "bytes" and items[0].is_array()) {
            const auto& list = items[0].get_array();
            value::binary bytes(list.size());
            std::size_t n = 0;
            auto* out = bytes.data();
            for (const auto& x : list) {
                if (not x.is_uint64() or x.get_uint64() > 255)
                    break;
                out[n++] = static_cast<std::uint8_t>(x.get_uint64());
            }
            if (n == list.size())
                return value(std::move(bytes));
        }
        return value(std::move(items), false);
    }

    value result;
    std::vector<frame> frames;
};

// nlohmann's text is "[json.exception.parse_error.101] parse error at line 1, column 2: …".
std::string without_prefix(const std::string& text) {
    const auto end = text.find("] ");
    return text.empty() or text.front() != '[' or end == std::string::npos ? text
                                                                           : text.substr(end + 2);
}

} // namespace

value from_json_string(const char* str_begin, std::size_t size) {
    json_builder builder;
    bool ok = false;
    try {
        ok = nlohmann::json::sax_parse(str_begin, str_begin + size, &builder);
    } catch (const nlohmann::json::exception& e) {
        builder.error = e.what();
    }
    if (not ok)
        fail(error_kind::invalid_argument,
             str("JSON text: expected a JSON document, got ", without_prefix(builder.error)));
    return builder.take();
}

value from_json_string(const std::string& text) {
    return from_json_string(text.data(), text.size());
}

} // namespace migraphx
