// SPDX-License-Identifier: MIT
// Models of one operator for the tests of the importer, and what they become.
#pragma once

#include "onnx_writer.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/iterator_for.hpp>
#include <migraphx/module.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/program.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace onnx_import {

namespace ow = onnx_writer;
using dims = std::vector<std::string>;

constexpr int float_code = 1, int8_code = 3, uint8_code = 2, int32_code = 6, int64_code = 7,
              bool_code = 9, half_code = 10;

inline ow::bytes float_attribute(const ow::bytes& name, float f) {
    return ow::message([&](auto& w) {
        w.add_string(1, name);
        w.add_float(2, f);
        w.add_enum(20, 1);
    });
}

inline ow::bytes text_attribute(const ow::bytes& name, const ow::bytes& s) {
    return ow::message([&](auto& w) {
        w.add_string(1, name);
        w.add_bytes(4, s);
        w.add_enum(20, 3);
    });
}

inline ow::bytes ints_attribute(const ow::bytes& name, const ow::ints& v) {
    return ow::message([&](auto& w) {
        w.add_string(1, name);
        for (auto i : v)
            w.add_int64(8, i);
        w.add_enum(20, 7);
    });
}

inline ow::bytes tensor_attribute(const ow::bytes& name, const ow::bytes& tensor) {
    return ow::message([&](auto& w) {
        w.add_string(1, name);
        w.add_message(5, tensor);
        w.add_enum(20, 4);
    });
}

struct input {
    std::string name;
    int type = float_code;
    dims size;
};

inline ow::bytes int64_tensor(const std::string& name, const ow::ints& v) {
    return ow::raw_tensor(name, int64_code, {std::int64_t(v.size())}, ow::raw(v));
}
inline ow::bytes int64_scalar(const std::string& name, std::int64_t v) {
    return ow::raw_tensor(name, int64_code, {}, ow::raw<std::int64_t>({v}));
}
inline ow::bytes float_tensor(const std::string& name, const ow::ints& size,
                              const std::vector<float>& v) {
    return ow::raw_tensor(name, float_code, size, ow::raw(v));
}

/// A model of some nodes; every output of the last one is an output of the graph.
struct model {
    std::vector<input> inputs;
    std::vector<ow::bytes> initializers;
    std::vector<ow::bytes> nodes;
    std::vector<std::string> outputs{"y"};
    std::int64_t opset = 17;

    ow::bytes write() const {
        ow::graph g;
        for (const auto& i : inputs)
            g.inputs.push_back(ow::value(i.name, ow::tensor_type(i.type, i.size)));
        for (const auto& o : outputs)
            g.outputs.push_back(ow::value(o, ow::tensor_type(float_code, {"?"})));
        g.initializers = initializers;
        g.nodes = nodes;
        return ow::message([&](auto& w) {
            w.add_int64(1, 8);
            w.add_message(7, g.write());
            w.add_message(8, ow::opset("", opset));
            w.add_message(8, ow::opset("com.microsoft", 1));
        });
    }
    migraphx::program parse(const migraphx::onnx_options& o = {}) const {
        return migraphx::parse_onnx_buffer(write(), o);
    }
};

/// A model of one node over inputs x0, x1 …
inline model one(const std::string& op, const std::vector<input>& inputs,
                 const std::vector<ow::bytes>& attributes = {}, std::int64_t opset = 17,
                 const std::string& domain = "") {
    model m;
    m.inputs = inputs;
    m.opset = opset;
    std::vector<std::string> names;
    for (const auto& i : inputs)
        names.push_back(i.name);
    m.nodes = {ow::node(op, names, {"y"}, "the_node", attributes, domain)};
    return m;
}

/// Operators of the main module in order, without parameters, literals and the return.
inline std::vector<std::string> operators_of(const migraphx::program& p) {
    std::vector<std::string> names;
    for (auto ins : migraphx::iterator_for(*p.get_main_module()))
        if (ins->name()[0] != '@' and ins->name() != "undefined")
            names.push_back(ins->name());
    return names;
}

inline migraphx::instruction_ref only(const migraphx::program& p, const std::string& name) {
    for (auto ins : migraphx::iterator_for(*p.get_main_module()))
        if (ins->name() == name)
            return ins;
    throw std::runtime_error("no instruction " + name + " in the program");
}

inline migraphx::shape result_of(const migraphx::program& p, std::size_t i = 0) {
    return p.get_main_module()->get_returns().at(i)->get_shape();
}

inline std::vector<double> values_of(const migraphx::program& p, std::size_t i = 0) {
    auto ins = p.get_main_module()->get_returns().at(i);
    return ins->eval().to_vector<double>();
}

template <class F>
std::string error_text(F f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "no error";
}

inline void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& p : parts)
        EXPECT_NE(text.find(p), std::string::npos) << "missing: " << p << "\nin: " << text;
}

} // namespace onnx_import
