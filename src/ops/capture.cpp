// SPDX-License-Identifier: MIT
#include "ops/capture.hpp"

#include "ops/expect.hpp"
#include "ops/op.hpp"

namespace migraphx {

namespace {

struct capture_op {
    std::size_t ins_index = 0;
    capture_function call;

    static constexpr auto name = "capture";
    static constexpr auto summary = "The first input, after a function has seen all of them";
    static void fields(field_list<capture_op>& f) {
        f.add("ins_index", &capture_op::ins_index, "number that the function gets");
    }
    static void traits(op_info& info) { info.has_side_effect = true; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1);
        return in[0];
    }
    std::vector<std::size_t> alias(const std::vector<shape>&) const { return {0}; }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        if (not call)
            fail(error_kind::invalid_argument,
                 "capture: a function to call was expected, got none (it is not saved with the "
                 "program)");
        call(ins_index, in);
        return in[0];
    }
};

const registered_op<capture_op> capture_registered;

} // namespace

operation make_capture(std::size_t ins_index, capture_function f) {
    auto self = std::make_shared<capture_op>();
    self->ins_index = ins_index;
    self->call = std::move(f);
    return {load_op("capture").info(), std::move(self)};
}

} // namespace migraphx
