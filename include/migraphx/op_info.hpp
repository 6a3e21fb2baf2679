// SPDX-License-Identifier: MIT
// The record behind every operator: what printing, parsing, saving, shape inference, evaluation and
// the tools know of it. One instance for each operator type; `operation` points at it.
#ifndef MIGRAPHX_OP_INFO_HPP
#define MIGRAPHX_OP_INFO_HPP

#include <functional>
#include <memory>
#include <migraphx/argument.hpp>
#include <migraphx/context.hpp>
#include <migraphx/module_ref.hpp>
#include <migraphx/shape.hpp>
#include <migraphx/value.hpp>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// Evaluates a sub-module with its parameters by name; gives the operands of its return.
using module_runner = std::function<std::vector<argument>(
    module_ref&, const std::unordered_map<std::string, argument>&)>;

/// How an attribute is brought to its canonical form from the shape of input 0.
enum class normalize_kind {
    none,
    axis,        ///< one axis or a list of them: [-r, r-1], negatives += r
    axis_output, ///< the same with r = rank of the output (input rank + number of axes)
    axis_end,    ///< [-r, r], negatives += r
    slice_bound, ///< clipped to [-len, len] of the axis in `axes`, negatives += len
    padding      ///< n values for n spatial dimensions are doubled to begins and ends
};

/// One attribute of an operator.
struct field_info {
    std::string name;
    std::string doc;
    std::function<value(const void*)> get;
    std::function<void(void*, const value&)> set;
    normalize_kind normalize = normalize_kind::none;
    std::vector<std::string> words = {}; ///< names of an enumeration's values in text
};

struct op_info {
    std::string name;
    std::string summary;
    std::vector<field_info> fields;

    // Life of the attribute object.
    const std::type_info* type = nullptr;
    std::function<std::shared_ptr<void>()> create;
    std::function<std::shared_ptr<void>(const void*)> clone;

    /// Output shape. Attributes are in canonical form. Throws for wrong inputs.
    std::function<shape(const void*, const std::vector<shape>&, const std::vector<module_ref>&)>
        infer;
    /// Reference evaluation; empty when the operator can only be lowered by a target.
    std::function<argument(const void*, context*, const shape&, const std::vector<argument>&,
                           const std::vector<module_ref>&, const module_runner&)>
        compute;
    /// Concrete output shape from concrete input shapes and the values of `shape_inputs`
    /// (whose data is there; the others' may be null).
    std::function<shape(const void*, const std::vector<argument>&)> resolve;
    /// Inputs whose element values decide the output shape.
    std::vector<std::size_t> shape_inputs;

    std::function<std::vector<std::size_t>(const void*, const std::vector<shape>&)> output_alias;
    std::function<void(void*, context&, const shape&, const std::vector<shape>&)> finalize;
    std::function<value(const void*, context&, const shape&, const std::vector<shape>&)> compile;
    std::function<value(const void*)> attributes;
    /// Name as printed when it differs from `name` (parameters, unknown operators).
    std::function<std::string(const void*)> display_name;

    bool is_view = false; ///< result shares the memory of input 0 through strides
    bool is_pointwise = false;
    bool is_commutative = false;
    bool is_context_free = true;
    bool is_builtin = false;      ///< @param, @literal …: not evaluated
    bool takes_boxed = false;     ///< sequences, optionals and unranked tensors among its inputs
    bool has_side_effect = false; ///< never removed as dead, never folded (random, in-place)
};

namespace detail {
/// Any field normalised by shape? (Checked before a copy of the attributes is made.)
bool needs_normalization(const op_info& info);
} // namespace detail

} // namespace migraphx
#endif
