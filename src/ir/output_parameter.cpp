// SPDX-License-Identifier: MIT
#include "ir/output_parameter.hpp"

#include <charconv>
#include <string_view>

namespace migraphx {

namespace {

constexpr std::string_view prefix = "main:#output_";
constexpr std::size_t digits = 5;

} // namespace

std::string output_parameter_name(std::size_t result) {
    const auto number = std::to_string(result);
    if (number.size() == 1)
        return std::string(prefix) + number;
    return std::string(prefix) + ':' +
           std::string(number.size() < digits ? digits - number.size() : 0, '0') + number;
}

std::optional<std::size_t> output_parameter_index(const std::string& name) {
    if (not name.starts_with(prefix))
        return {};
    std::string_view text = std::string_view(name).substr(prefix.size());
    if (text.starts_with(':'))
        text.remove_prefix(1);
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} or end != text.data() + text.size() or
        output_parameter_name(n) != name)
        return {};
    return n;
}

} // namespace migraphx
