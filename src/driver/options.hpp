// SPDX-License-Identifier: MIT
// What commands share: where the model comes from, how inputs are filled, how it is compiled and
// shown.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/model_report.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/program.hpp>
#include <migraphx/tf.hpp>
#include <migraphx/verify.hpp>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace CLI {
class App;
}

namespace migraphx::driver {

/// Wrong usage: exit code 2.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A model: a file (or `--test`), how to read it and what to do with it before anything else.
struct loader {
    std::string file;
    bool test = false, onnx = false, tf = false, migraphx = false, json = false,
         text_program = false;
    bool nhwc = false, nchw = false;
    std::size_t batch = 1;
    bool skip_unknown = false, debug_symbols = false, optimize = false, strip_context = false;
    std::size_t trim = 0;
    std::vector<std::string> input_dim, dim_param, dyn_input_dim, passes;
    std::string default_dyn_dim;
    std::vector<std::string> output_names;

    void add_to(CLI::App& app);
    program load() const;
    /// How a model is read, without what is done to a program.
    void add_reading_to(CLI::App& app);
    value report() const;
    /// `--input-dim` by parameter.
    std::unordered_map<std::string, std::vector<std::size_t>> input_dims() const;

private:
    onnx_options options() const;
    tf_options options_for_tf() const;
    bool given_as(const std::string& suffix) const;
};

/// How a program is written: text by default, binary when a file is given.
struct writer {
    bool graphviz = false, brief = false, cpp = false, python = false, json = false, text = false,
         binary = false;
    std::string output;

    void add_to(CLI::App& app);
    void write(const program& p) const;
};

/// Values of the parameters: random unless told otherwise.
struct filler {
    std::vector<std::string> fill0, fill1, load_arg;

    void add_to(CLI::App& app);
    parameter_map fill(const program& p, const loader& l) const;
};

struct compiler {
    bool gpu = false, cpu = false, ref = false, null = false;
    std::size_t device = 0;
    bool offload_copy = false, no_fast_math = false, tf32 = false, exhaustive_tune = false;
    bool fp16 = false, bf16 = false, int8 = false, fp8 = false, int4_weights = false;
    std::size_t threads = 0;

    void add_to(CLI::App& app);
    std::string target_name() const;
    compile_options options() const;
    /// Any of the flags for a lower precision.
    bool lowers_precision() const { return fp16 or bf16 or int8 or fp8 or int4_weights; }
    /// In the order of the flags above; `calibration` gives the inputs that ranges are taken from.
    void quantize(program& p, const std::function<parameter_map()>& calibration) const;
    /// Leaves a program alone that is compiled already.
    void compile(program& p) const;
};

/// What a compiled program takes and gives lies in its target's memory unless it copies itself:
/// parameters on their way there, results on their way back.
parameter_map for_target(const program& p, parameter_map params);
std::vector<argument> from_target(const program& p, std::vector<argument> results);

struct tolerances {
    verify::tolerance limit{};
    void add_to(CLI::App& app);
};

} // namespace migraphx::driver
