// SPDX-License-Identifier: MIT
// From the operators of a nest to calls of the tile machine: classes are made explicit, cheap float
// operators are gathered into chains, known compositions become one function.
#pragma once

#include "codegen/nest.hpp"
#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>
#include <vector>

namespace migraphx::cpu {

// How often a value changes: never, with the row (row-wise walk only), with each iteration.
enum class vm_rate : uint8_t { once, per_row, per_element };

// Which function a call is: `code` is a vm_math, vm_wide or vm_cast.
enum class vm_family : uint8_t { none, math, wide, cast, scalar };

struct vm_function {
    vm_family family = vm_family::none;
    uint8_t code = 0;
};

struct vm_node {
    enum class kind : uint8_t { constant, load, chain, call };

    kind what = kind::constant;
    vm_class cls = vm_class::f32;
    vm_rate rate = vm_rate::once;
    int64_t bits = 0; // constant: the cell's content
    int input = -1;   // load
    vm_load_fn load = nullptr;
    std::vector<int> operands;     // nodes; of a chain the first is where it starts
    std::vector<chain_step> steps; // chain
    vm_function function;          // call
    vm_fn fn = nullptr;            // call
    int scalar_call = -1;          // call: index in vm_graph::scalar_calls
    double cost = 0;               // nanoseconds per element
    const char* name = "";
};

// A scalar operator applied to each element: what has no vector form.
struct nest_scalar_call {
    const pointwise_row* row = nullptr; // null: convert
    shape::type_t type = shape::float_type;
    std::vector<shape::type_t> operand_types;
};

struct vm_store {
    int node = 0;
    vm_store_fn fn = nullptr;              // null of folds
    const vm_fold_kernel* folds = nullptr; // one value for each row, of the node's class
    vm_fold fold = vm_fold::sum;
    bool native = false;     // the tile has the element's own format
    bool saturating = false; // floats to integers as `convert` does
};

struct vm_graph {
    std::vector<vm_node> nodes;   // operands before users
    std::vector<vm_store> stores; // one for each output
    std::vector<nest_scalar_call> scalar_calls;

    bool has_folds() const;
};

// How many vectors generated code computes at once, and so how many accumulators folds have.
int vectors_at_once(const vm_graph& g);

// `n` is simplified and has at least one dim.
vm_graph lower_nest(const codegen::nest& n, const nest_kernels& kernels, bool rowwise, isa level);

constexpr int64_t vm_class_bytes(vm_class c) {
    return c == vm_class::f32 ? 4 : 8;
}

// Class in which values of a type are held.
vm_class vm_class_of(shape::type_t type);

// Blocks without a vector form (nest_scalar.cpp).
void scalar_call_tile(const vm_args& args); // data: nest_scalar_call
void fill_tile_4(const vm_args& args);      // one value to all n, 4 bytes each
void fill_tile_8(const vm_args& args);
vm_load_fn scalar_load(shape::type_t type); // fp8 types to f32
vm_store_fn scalar_store(shape::type_t type);

} // namespace migraphx::cpu
