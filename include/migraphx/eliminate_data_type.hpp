// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_ELIMINATE_DATA_TYPE_HPP
#define MIGRAPHX_ELIMINATE_DATA_TYPE_HPP

#include <migraphx/shape.hpp>
#include <set>
#include <string>

namespace migraphx {

struct module;

/// Operators whose operands or result are of `types` compute in `target_type`, between conversions.
/// `unsupported_ops` names those that do ("all": every one).
struct eliminate_data_type {
    std::set<shape::type_t> types = {};
    shape::type_t target_type = shape::float_type;
    std::set<std::string> unsupported_ops = {"all"};
    std::string name() const { return "eliminate_data_type"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
