// SPDX-License-Identifier: MIT
// unknown: stands for an operator of a model that this library does not have. It can be read,
// printed and saved, not evaluated.
#include "ops/op.hpp"

#include <migraphx/op/unknown.hpp>

namespace migraphx {

namespace {

struct unknown_op : op::unknown {
    static constexpr auto name = "unknown:";
    static constexpr auto summary = "Stands for an operator of a model that is not known here";
    static void fields(field_list<unknown_op>& f) {
        f.add("op", &migraphx::op::unknown::op, "name of the operator in the model");
    }
    static void traits(op_info& info) {
        info.type = &typeid(migraphx::op::unknown);
        info.display_name = [](const void* self) {
            return static_cast<const migraphx::op::unknown*>(self)->name();
        };
    }

    shape infer(const std::vector<shape>& in) const { return in.empty() ? shape{} : in.front(); }
};

const registered_op<unknown_op> unknown_registered;

} // namespace

} // namespace migraphx
