// SPDX-License-Identifier: MIT
// Writes small ONNX models, right and wrong ones, as bytes for the tests of the reader.
#pragma once

#include <protozero/pbf_writer.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnx_writer {

using bytes = std::string;
using names = std::vector<std::string>;
using ints = std::vector<std::int64_t>;

/// A message written by f(pbf_writer&).
template <class F>
bytes message(F f) {
    bytes out;
    protozero::pbf_writer w(out);
    f(w);
    return out;
}

inline bytes pair(const bytes& key, const bytes& value) {
    return message([&](auto& w) {
        w.add_string(1, key);
        w.add_string(2, value);
    });
}

/// A tensor without data; `more(w)` adds the data fields.
template <class F>
bytes tensor(const bytes& name, int type, const ints& dims, F more) {
    return message([&](auto& w) {
        w.add_packed_int64(1, dims.begin(), dims.end());
        w.add_int32(2, type);
        if (!name.empty())
            w.add_string(8, name);
        more(w);
    });
}

inline bytes raw_tensor(const bytes& name, int type, const ints& dims, const bytes& raw) {
    return tensor(name, type, dims, [&](auto& w) { w.add_bytes(9, raw); });
}

template <class T>
bytes raw(const std::vector<T>& values) {
    bytes out(values.size() * sizeof(T), '\0');
    if (!values.empty())
        std::memcpy(out.data(), values.data(), out.size());
    return out;
}

inline bytes external_tensor(const bytes& name, int type, const ints& dims,
                             const std::vector<std::pair<bytes, bytes>>& entries) {
    return tensor(name, type, dims, [&](auto& w) {
        for (const auto& [k, v] : entries)
            w.add_message(13, pair(k, v));
        w.add_enum(14, 1);
    });
}

inline bytes int_attribute(const bytes& name, std::int64_t i) {
    return message([&](auto& w) {
        w.add_string(1, name);
        w.add_int64(3, i);
        w.add_enum(20, 2);
    });
}

inline bytes graph_attribute(const bytes& name, const bytes& graph) {
    return message([&](auto& w) {
        w.add_string(1, name);
        w.add_message(6, graph);
        w.add_enum(20, 5);
    });
}

inline bytes node(const bytes& op, const names& inputs, const names& outputs,
                  const bytes& name = "", const std::vector<bytes>& attributes = {},
                  const bytes& domain = "") {
    return message([&](auto& w) {
        for (const auto& s : inputs)
            w.add_string(1, s);
        for (const auto& s : outputs)
            w.add_string(2, s);
        if (!name.empty())
            w.add_string(3, name);
        w.add_string(4, op);
        for (const auto& a : attributes)
            w.add_message(5, a);
        if (!domain.empty())
            w.add_string(7, domain);
    });
}

/// A tensor type; dims that parse as numbers are values, "?" is unknown, others are parameters.
inline bytes tensor_type(int elem, const names& dims) {
    const bytes shape = message([&](auto& w) {
        for (const auto& d : dims)
            w.add_message(1, message([&](auto& x) {
                              if (d.find_first_not_of("0123456789") == bytes::npos)
                                  x.add_int64(1, std::stoll(d));
                              else if (d != "?")
                                  x.add_string(2, d);
                          }));
    });
    return message([&](auto& w) {
        w.add_message(1, message([&](auto& x) {
                          x.add_int32(1, elem);
                          x.add_message(2, shape);
                      }));
    });
}

inline bytes value(const bytes& name, const bytes& type) {
    return message([&](auto& w) {
        w.add_string(1, name);
        w.add_message(2, type);
    });
}

struct graph {
    bytes name = "main";
    std::vector<bytes> nodes, initializers, inputs, outputs;

    bytes write() const {
        return message([&](auto& w) {
            for (const auto& n : nodes)
                w.add_message(1, n);
            w.add_string(2, name);
            for (const auto& t : initializers)
                w.add_message(5, t);
            for (const auto& v : inputs)
                w.add_message(11, v);
            for (const auto& v : outputs)
                w.add_message(12, v);
        });
    }
};

inline bytes opset(const bytes& domain, std::int64_t version) {
    return message([&](auto& w) {
        w.add_string(1, domain);
        w.add_int64(2, version);
    });
}

/// A local function; its body imports opset 17 of the default domain.
inline bytes function(const bytes& domain, const bytes& name, const names& inputs,
                      const names& outputs, const std::vector<bytes>& nodes) {
    return message([&](auto& w) {
        w.add_string(1, name);
        for (const auto& s : inputs)
            w.add_string(4, s);
        for (const auto& s : outputs)
            w.add_string(5, s);
        for (const auto& n : nodes)
            w.add_message(7, n);
        w.add_message(9, opset("", 17));
        w.add_string(10, domain);
    });
}

inline bytes model(const bytes& graph_bytes, const std::vector<bytes>& functions = {}) {
    return message([&](auto& w) {
        w.add_int64(1, 8);
        w.add_string(2, "test");
        w.add_message(7, graph_bytes);
        w.add_message(8, opset("", 17));
        w.add_message(8, opset("com.microsoft", 1));
        for (const auto& f : functions)
            w.add_message(25, f);
    });
}

/// x -> Relu -> Add(w) -> y with attributes, an initializer of each storage and a subgraph.
inline bytes small_model() {
    graph branch;
    branch.name = "branch";
    branch.nodes = {node("Mul", {"r", "w"}, {"b"}, "inner")};
    branch.outputs = {value("b", tensor_type(1, {"2", "3"}))};
    graph g;
    g.initializers = {
        raw_tensor("w", 1, {2, 3}, raw<float>({1, 2, 3, 4, 5, 6})),
        tensor("i", 7, {3},
               [](auto& w) {
                   const ints v{1, -2, 300};
                   w.add_packed_int64(7, v.begin(), v.end());
               }),
        external_tensor("e", 1, {2, 3}, {{"location", "e.bin"}, {"offset", "8"}, {"length", "24"}}),
        tensor("s", 8, {2}, [](auto& w) {
            w.add_string(6, "one");
            w.add_string(6, "");
        })};
    g.inputs = {value("x", tensor_type(1, {"batch", "3"})), value("c", tensor_type(9, {}))};
    g.outputs = {value("y", tensor_type(1, {"?", "3"}))};
    g.nodes = {node("Relu", {"x"}, {"r"}, "relu"),
               node("If", {"c"}, {"q"}, "choice",
                    {graph_attribute("then_branch", branch.write()),
                     graph_attribute("else_branch", branch.write())}),
               node("Add", {"q", "w"}, {"a"}, "add", {int_attribute("axis", -1)}),
               node("Gelu", {"a", ""}, {"y"}, "", {}, "com.microsoft")};
    return model(g.write());
}

} // namespace onnx_writer
