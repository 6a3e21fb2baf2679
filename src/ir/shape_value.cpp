// SPDX-License-Identifier: MIT
// Shapes and dynamic dimensions in saved programs and attributes.
#include <migraphx/errors.hpp>
#include <migraphx/shape.hpp>
#include <migraphx/value.hpp>

namespace migraphx {

namespace {

constexpr int max_shape_depth = 64;

std::size_t size_from(const value& v) {
    if (const auto* x = v.if_int64(); x != nullptr && *x < 0)
        fail(error_kind::invalid_argument,
             "shape: expected a non-negative size, got " + std::to_string(*x));
    return v.to<std::size_t>();
}

std::vector<std::size_t> sizes_from(const value& v) {
    std::vector<std::size_t> result;
    for (const value& x : v)
        result.push_back(size_from(x));
    return result;
}

const value* member_of(const value& v, const char* key) {
    const value* x = v.find(key);
    return x == v.end() || x->is_null() ? nullptr : x;
}

shape::type_t type_from(const value& v) {
    if (v.is_int64() || v.is_uint64()) {
        return shape::type_of_number(v.to<std::int64_t>());
    }
    return shape::parse_type(v.to<std::string>());
}

shape container_from(const value& kind, const std::vector<shape>& subs) {
    const auto text = kind.to<std::string>();
    if ((text != "sequence" && text != "optional") || subs.size() != 1)
        fail(error_kind::invalid_argument,
             "shape: expected a sequence or an optional of one shape, got kind '" + text +
                 "' and " + std::to_string(subs.size()) + " sub_shapes");
    return text == "sequence" ? shape::sequence(subs.front()) : shape::optional(subs.front());
}

shape rankless_from(const value& kind, shape::type_t t) {
    const auto text = kind.to<std::string>();
    if (text != "any" && text != "absent")
        fail(error_kind::invalid_argument,
             "shape: expected kind any or absent, got '" + text + "'");
    return text == "any" ? shape::unranked(t) : shape::absent(t);
}

shape shape_from(const value& v, int depth) {
    if (depth > max_shape_depth)
        fail(error_kind::invalid_argument, "shape: expected at most " +
                                               std::to_string(max_shape_depth) +
                                               " nested tuples, got more");
    if (!v.is_object())
        fail(error_kind::invalid_argument,
             "shape: expected an object with type, lens and strides, got another kind of value");
    const value* type = member_of(v, "type");
    const value* lens = member_of(v, "lens");
    const value* strides = member_of(v, "strides");
    const value* dims = member_of(v, "dynamic_dimensions");
    const value* dyn_strides = member_of(v, "dyn_strides");
    const value* subs = member_of(v, "sub_shapes");
    const value* kind = member_of(v, "kind");
    const shape::type_t t = type == nullptr ? shape::float_type : type_from(*type);
    if (t == shape::tuple_type) {
        std::vector<shape> result;
        if (subs != nullptr)
            for (const value& x : *subs)
                result.push_back(shape_from(x, depth + 1));
        return kind == nullptr ? shape{result} : container_from(*kind, result);
    }
    if (kind != nullptr)
        return rankless_from(*kind, t);
    if (dims != nullptr && !dims->empty()) {
        std::vector<shape::dynamic_dimension> dds;
        for (const value& x : *dims)
            migraphx_from_value(x, dds.emplace_back());
        if (dyn_strides == nullptr || dyn_strides->empty())
            return {t, std::move(dds)};
        std::vector<sym::expr> steps;
        for (const value& x : *dyn_strides)
            sym::migraphx_from_value(x, steps.emplace_back());
        return {t, std::move(dds), std::move(steps)};
    }
    if (lens == nullptr)
        return {t, std::vector<std::size_t>{}};
    if (strides == nullptr || (strides->empty() && !lens->empty()))
        return {t, sizes_from(*lens)};
    return {t, sizes_from(*lens), sizes_from(*strides)};
}

} // namespace

void migraphx_to_value(value& v, const shape::dynamic_dimension& d) {
    value result = value::object{};
    result["range"] = nullptr;
    result["optimals"] = nullptr;
    result["sym"] = nullptr;
    if (d.is_symbolic()) {
        value e;
        sym::migraphx_to_value(e, d.sym_expr);
        result["sym"] = e;
    } else {
        const auto bounds = d.get_interval();
        value range = value::object{};
        range["min"] = bounds.min;
        range["max"] = bounds.max;
        result["range"] = range;
        result["optimals"] = value(d.get_optimals());
    }
    v = result;
}

void migraphx_from_value(const value& v, shape::dynamic_dimension& d) {
    if (v.is_string()) {
        d = sym::parse(v.get_string());
        return;
    }
    if (!v.is_object() && !v.is_null()) {
        const std::size_t n = size_from(v);
        d = shape::dynamic_dimension{n, n};
        return;
    }
    if (const value* e = member_of(v, "sym")) {
        sym::expr x;
        sym::migraphx_from_value(*e, x);
        d = shape::dynamic_dimension{x};
        return;
    }
    const value* range = member_of(v, "range");
    const value& bounds = range == nullptr ? v : *range;
    const value* low = member_of(bounds, "min");
    const value* high = member_of(bounds, "max");
    if (low == nullptr || high == nullptr)
        fail(error_kind::invalid_argument,
             "dynamic dimension: expected {min, max[, optimals]} or an integer, got neither");
    std::set<std::size_t> optimals;
    if (const value* list = member_of(v, "optimals"))
        for (const value& x : *list)
            optimals.insert(size_from(x));
    d = shape::dynamic_dimension{size_from(*low), size_from(*high), std::move(optimals)};
}

value shape_to_value(const shape& s) {
    value result = value::object{};
    result["type"] = s.type_string();
    value subs = value::array{};
    for (const shape& x : s.sub_shapes()) {
        subs.push_back(shape_to_value(x));
    }
    value dims = value::array{};
    for (const auto& x : s.dyn_dims()) {
        value item;
        migraphx_to_value(item, x);
        dims.push_back(item);
    }
    value dyn_strides = value::array{};
    for (const auto& x : s.dyn_strides()) {
        value item;
        sym::migraphx_to_value(item, x);
        dyn_strides.push_back(item);
    }
    const std::vector<std::size_t> none;
    result["sub_shapes"] = subs;
    result["lens"] = value(s.dynamic() ? none : s.lens());
    result["strides"] = value(s.dynamic() ? none : s.strides());
    result["dynamic_dimensions"] = dims;
    result["dyn_strides"] = dyn_strides;
    if (s.is_sequence() || s.is_optional())
        result["kind"] = s.is_sequence() ? "sequence" : "optional";
    else if (!s.has_rank())
        result["kind"] = s.is_absent() ? "absent" : "any";
    return result;
}

void migraphx_from_value(const value& v, shape& s) {
    s = shape_from(v, 0);
}

} // namespace migraphx
