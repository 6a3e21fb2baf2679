// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/fold_text.hpp"

#include "codegen/device_text.hpp"

namespace migraphx::gpu {

using codegen::fold;

fold_text text_of(fold how, shape::type_t type) {
    const std::string held = codegen::held_type(type);
    const bool real = codegen::is_float_class(codegen::class_of(type));
    const auto extreme = [&](bool lowest) {
        if (real)
            return (lowest ? "-infinity<" : "infinity<") + held + ">()";
        if (type == shape::bool_type)
            return held + (lowest ? "(0)" : "(1)");
        return held + "::of(static_cast<u64>(limits<" + codegen::stored_type(type) +
               ">::" + (lowest ? "low" : "high") + "))";
    };
    switch (how) {
    case fold::sum:
    case fold::mean:
        return {held, held + "(0)", "add_op{}"};
    case fold::prod:
        return {held, held + "(1)", "mul_op{}"};
    case fold::max:
        return {held, extreme(true), "max_op{}"};
    case fold::min:
        return {held, extreme(false), "min_op{}"};
    case fold::all:
        return {held, held + "(1)", "all_op{}"};
    case fold::any:
        return {held, held + "(0)", "any_op{}"};
    default:
        break;
    }
    const bool largest = how == fold::argmax_first or how == fold::argmax_last;
    const bool last = how == fold::argmax_last or how == fold::argmin_last;
    const auto pair = "found<" + held + ", Index>";
    return {pair, pair + "{" + held + "(0), " + pair + "::none}",
            std::string("further_op<") + (largest ? "true" : "false") +
                (last ? ", true" : ", false") + ">{}"};
}

} // namespace migraphx::gpu
