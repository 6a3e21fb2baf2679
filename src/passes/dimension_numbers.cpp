// SPDX-License-Identifier: MIT
#include "passes/dimension_numbers.hpp"

#include <migraphx/op_info.hpp>

#include "base/str.hpp"

#include <algorithm>
#include <string_view>

namespace migraphx {

namespace {

// Operators whose output's dimensions follow from their attributes and the dimensions of their
// inputs, never from values.
bool follows_from_dimensions(instruction_ref ins) {
    constexpr std::string_view any_inputs[] = {"convolution", "convolution_backwards",
                                               "quant_convolution", "pooling", "concat"};
    constexpr std::string_view one_input[] = {"slice", "reshape", "pad", "flatten", "unsqueeze"};
    const auto is = [&](std::string_view n) { return ins->name() == n; };
    return std::any_of(std::begin(any_inputs), std::end(any_inputs), is) or
           (ins->inputs().size() == 1 and
            std::any_of(std::begin(one_input), std::end(one_input), is));
}

bool keeps_dimensions(const std::string& name) {
    return name == "softmax" or name == "logsoftmax" or name == "contiguous";
}

bool has_rank(const shape& s) {
    return s.type() != shape::tuple_type and not s.is_boxed() and (not s.dynamic() or s.ndim() > 0);
}

} // namespace

const std::optional<dimension_numbers::numbers>& dimension_numbers::of(instruction_ref ins) {
    if (auto it = known.find(ins); it != known.end())
        return it->second;
    auto found = find(ins);
    return known[ins] = std::move(found);
}

std::optional<dimension_numbers::numbers> dimension_numbers::find(instruction_ref ins) {
    const auto& s = ins->get_shape();
    if (not has_rank(s))
        return std::nullopt;
    if (not s.dynamic())
        return numbers(s.lens().begin(), s.lens().end());
    auto result = follow(ins);
    if (not result or result->size() != s.ndim())
        result = unknown(str('@', reinterpret_cast<std::uintptr_t>(&*ins)), s.ndim());
    // What was inferred may say more.
    for (std::size_t i = 0; i < s.ndim(); i++) {
        const auto& d = s.dyn_dims()[i];
        if (d.is_symbolic())
            (*result)[i] = number_of(str("symbol ", d));
        else if (d.is_fixed())
            (*result)[i] = static_cast<std::int64_t>(d.get_interval().min);
    }
    return result;
}

std::optional<dimension_numbers::numbers> dimension_numbers::follow(instruction_ref ins) {
    std::vector<numbers> in;
    for (auto a : ins->inputs()) {
        // Values of outer modules are asked for where they are used first.
        const auto& n = of(a);
        if (not n)
            return std::nullopt;
        in.push_back(*n);
    }
    if (in.empty())
        return std::nullopt;
    const auto& op = ins->get_operator();
    const auto name = ins->name();
    const auto rank = in[0].size();
    if (op.info().is_pointwise)
        return elementwise(in);
    if (keeps_dimensions(name))
        return in[0];
    if (name == "multibroadcast" and in.size() > 1)
        return broadcast(in);
    if (name == "broadcast" and in.size() == 2)
        return in[1];
    if (name == "broadcast_for_dot" and rank >= 2 and in[1].size() >= 2) {
        auto result =
            broadcast({{in[0].begin(), in[0].end() - 2}, {in[1].begin(), in[1].end() - 2}});
        result.insert(result.end(), in[0].end() - 2, in[0].end());
        return result;
    }
    if (name == "dot" and rank >= 2 and in[1].size() == rank) {
        auto result = in[0];
        result.back() = in[1].back();
        return result;
    }
    if (name == "transpose") {
        const auto order = op.get_vector<std::int64_t>("permutation");
        if (order.size() != rank)
            return std::nullopt;
        numbers result;
        for (auto i : order)
            result.push_back(in[0].at(static_cast<std::size_t>(i)));
        return result;
    }
    if (name == "squeeze") {
        const auto axes = op.get_vector<std::int64_t>("axes");
        numbers result;
        for (std::size_t i = 0; i < rank; i++)
            if (std::none_of(axes.begin(), axes.end(), [&](auto a) {
                    return static_cast<std::size_t>(a < 0 ? a + std::int64_t(rank) : a) == i;
                }))
                result.push_back(in[0][i]);
        return axes.empty() ? std::nullopt : std::optional(result);
    }
    if (name.starts_with("reduce_") and in.size() == 1) {
        auto result = in[0];
        for (auto a : op.get_vector<std::int64_t>("axes"))
            result.at(static_cast<std::size_t>(a < 0 ? a + std::int64_t(rank) : a)) = 1;
        return result;
    }
    if (follows_from_dimensions(ins))
        return unknown(str(op, in.size(),
                           [&] {
                               std::string text;
                               for (const auto& x : in) {
                                   for (auto n : x)
                                       text += str(n, ',');
                                   text += ';';
                               }
                               return text;
                           }()),
                       ins->get_shape().ndim());
    return std::nullopt;
}

// Operands have equal dimensions: what is known of one holds for all.
std::optional<dimension_numbers::numbers>
dimension_numbers::elementwise(const std::vector<numbers>& in) {
    auto result = in[0];
    for (const auto& x : in) {
        if (x.size() != result.size())
            return std::nullopt;
        for (std::size_t i = 0; i < x.size(); i++)
            if (result[i] < 0 and x[i] >= 0)
                result[i] = x[i];
    }
    return result;
}

dimension_numbers::numbers dimension_numbers::broadcast(const std::vector<numbers>& in) {
    std::size_t rank = 0;
    for (const auto& x : in)
        rank = std::max(rank, x.size());
    numbers result(rank, 1);
    for (std::size_t i = 0; i < rank; i++) {
        std::vector<std::int64_t> sizes;
        for (const auto& x : in)
            if (i + x.size() >= rank and x[i + x.size() - rank] != 1)
                sizes.push_back(x[i + x.size() - rank]);
        result[i] = broadcast_one(std::move(sizes));
    }
    return result;
}

// Of sizes that are not 1, as far as is known.
std::int64_t dimension_numbers::broadcast_one(std::vector<std::int64_t> sizes) {
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    if (sizes.empty())
        return 1;
    // A known size is the result's: the unknown ones are that or 1.
    if (sizes.size() == 1 or sizes.back() >= 0)
        return sizes.back();
    std::string key = "broadcast";
    for (auto n : sizes)
        key += str(' ', n);
    return number_of(key);
}

dimension_numbers::numbers dimension_numbers::unknown(const std::string& key, std::size_t rank) {
    numbers result;
    for (std::size_t i = 0; i < rank; i++)
        result.push_back(number_of(str(key, '#', i)));
    return result;
}

std::int64_t dimension_numbers::number_of(const std::string& key) {
    const auto [it, fresh] = by_key.try_emplace(key, next);
    next -= fresh ? 1 : 0;
    return it->second;
}

} // namespace migraphx
