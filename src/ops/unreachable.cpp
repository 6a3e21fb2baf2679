// SPDX-License-Identifier: MIT
// unreachable: fails when it is evaluated. It stands for the results of a branch that cannot be
// run.
#include "ops/expect.hpp"
#include "ops/op.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

namespace {

struct unreachable_op {
    shape output;
    std::string message;

    static constexpr auto name = "unreachable";
    static constexpr auto summary = "Fails when it is evaluated";
    static void fields(field_list<unreachable_op>& f) {
        f.add("shape", &unreachable_op::output, "shape of the result that never is");
        f.add("message", &unreachable_op::message, "why");
    }
    static void traits(op_info& info) {
        info.has_side_effect = true;
        info.is_context_free = false;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(0);
        return output;
    }
    argument evaluate(const shape&, const std::vector<argument>&) const {
        fail(error_kind::invalid_argument, message);
    }
};

const registered_op<unreachable_op> unreachable_registered;

} // namespace

} // namespace migraphx
