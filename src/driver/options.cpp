// SPDX-License-Identifier: MIT
#include "driver/options.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/file_buffer.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/json.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/quantization.hpp>
#include <migraphx/register_target.hpp>

#include "base/phase_times.hpp"
#include "ir/text_parser.hpp"
#include "passes/pass_registry.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

namespace migraphx::driver {

namespace {

// {"@a", "1", "2", "@b", "3"} -> a: 1 2, b: 3
std::vector<std::pair<std::string, std::vector<std::string>>>
named_lists(const std::vector<std::string>& words, const char* option) {
    std::vector<std::pair<std::string, std::vector<std::string>>> result;
    for (const auto& w : words) {
        if (not w.empty() and w.front() == '@')
            result.emplace_back(w.substr(1), std::vector<std::string>{});
        else if (result.empty())
            throw usage_error(std::string(option) + ": @name was expected first, got '" + w + "'");
        else
            result.back().second.push_back(w);
    }
    return result;
}

std::size_t size_of(const std::string& word, const char* option) {
    std::size_t end = 0;
    try {
        const auto n = std::stoull(word, &end);
        if (end == word.size() and word.front() != '-')
            return n;
    } catch (const std::exception&) {
    }
    throw usage_error(std::string(option) + ": a size was expected, got '" + word + "'");
}

// 4, {min:1,max:8,optimals:[2]}, {range:{min:1,max:8}} or one of these in a list of one.
shape::dynamic_dimension dimension_of(const value& v, const char* option) {
    if (v.is_array() and v.size() == 1)
        return dimension_of(v.front(), option);
    if (not v.is_object()) {
        if (v.is_int64() or v.is_uint64())
            return {v.to<std::size_t>(), v.to<std::size_t>()};
        throw usage_error(std::string(option) + ": a size or {min:…, max:…} was expected");
    }
    const value range = v.contains("range") ? v.at("range").without_key() : v.without_key();
    if (not range.contains("min") or not range.contains("max"))
        throw usage_error(std::string(option) + ": min and max were expected in {min:…, max:…}");
    std::set<std::size_t> optimals;
    if (v.contains("optimals") and not v.at("optimals").is_null())
        for (const auto& o : v.at("optimals"))
            optimals.insert(o.to<std::size_t>());
    return {range.at("min").to<std::size_t>(), range.at("max").to<std::size_t>(), optimals};
}

// A list of dimensions, or one for an input with one.
std::vector<shape::dynamic_dimension> dimensions_of(const value& v, const char* option) {
    if (not v.is_array())
        return {dimension_of(v, option)};
    std::vector<shape::dynamic_dimension> dims;
    for (const auto& d : v)
        dims.push_back(dimension_of(d.without_key(), option));
    return dims;
}

value relaxed_json(const std::string& text) {
    return from_json_string(convert_to_json(text));
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& w : words)
        text += (text.empty() ? "" : " ") + w;
    return text;
}

program test_program() {
    program p;
    auto* m = p.get_main_module();
    auto a = m->add_parameter("a", shape{shape::float_type, {4, 5}});
    auto b = m->add_parameter("b", shape{shape::float_type, {5, 3}});
    m->add_instruction(make_op("dot"), a, b);
    return p;
}

} // namespace

void loader::add_reading_to(CLI::App& app) {
    app.add_flag("--onnx", onnx, "the file is an ONNX model");
    app.add_flag("--tf", tf, "the file is a frozen TensorFlow graph");
    app.add_flag("--nhwc", nhwc,
                 "layout of a TensorFlow graph whose operators do not state it (default)");
    app.add_flag("--nchw", nchw, "the other layout; inputs and results stay as the graph has them");
    app.add_option("--output-names", output_names, "results of a TensorFlow graph")
        ->expected(1, -1);
    app.add_option("--batch", batch, "size of dimensions that nothing else decides")
        ->check(CLI::PositiveNumber);
    app.add_option("--input-dim", input_dim, "@name d1 d2 …: sizes of an input")->expected(1, -1);
    app.add_option("--dim-param", dim_param, "@name N or \"{min:1,max:8}\": a named dimension")
        ->expected(1, -1);
    app.add_option("--dyn-input-dim", dyn_input_dim, "@name \"[{min:1,max:8},3,224]\"")
        ->expected(1, -1);
    app.add_option("--default-dyn-dim", default_dyn_dim,
                   "{min:x,max:y} for dimensions that nothing else decides");
}

void loader::add_to(CLI::App& app) {
    app.add_option("file", file,
                   "model: .onnx, .pb (TensorFlow), .mxr, .json or .txt (program text)");
    app.add_flag("--test", test, "a built-in program of one dot instead of a file");
    add_reading_to(app);
    app.add_flag("--migraphx", migraphx, "the file is a saved program");
    app.add_flag("--migraphx-json", json, "the file is a saved program as JSON");
    app.add_flag("--migraphx-text", text_program, "the file is a program as text");
    app.add_flag("--skip-unknown-operators", skip_unknown,
                 "read on past operators that are not known");
    app.add_flag("--debug-symbols", debug_symbols, "keep the names of the model's nodes");
    app.add_option("--trim,-t", trim, "leave out the last N instructions");
    app.add_flag("--optimize,-O", optimize, "clean up after reading");
    app.add_option("--apply-pass,-p", passes, "run this pass (repeatable)")
        ->expected(1)
        ->take_all();
    app.add_flag("--strip-context", strip_context, "forget what a loaded program was compiled for");
}

bool loader::given_as(const std::string& suffix) const {
    return file.ends_with(suffix);
}

std::unordered_map<std::string, std::vector<std::size_t>> loader::input_dims() const {
    std::unordered_map<std::string, std::vector<std::size_t>> result;
    for (const auto& [name, words] : named_lists(input_dim, "--input-dim"))
        for (const auto& w : words)
            result[name].push_back(size_of(w, "--input-dim"));
    return result;
}

onnx_options loader::options() const {
    onnx_options o;
    o.skip_unknown_operators = skip_unknown;
    o.use_debug_symbols = debug_symbols;
    o.map_input_dims = input_dims();
    if (not default_dyn_dim.empty())
        o.default_dyn_dim_value = dimension_of(relaxed_json(default_dyn_dim), "--default-dyn-dim");
    else
        o.default_dim_value = batch;
    for (const auto& [name, words] : named_lists(dim_param, "--dim-param"))
        o.dim_params[name] = dimension_of(relaxed_json(joined(words)), "--dim-param");
    for (const auto& [name, words] : named_lists(dyn_input_dim, "--dyn-input-dim")) {
        o.map_dyn_input_dims[name] = dimensions_of(relaxed_json(joined(words)), "--dyn-input-dim");
        o.map_input_dims.erase(name);
    }
    return o;
}

tf_options loader::options_for_tf() const {
    if (nhwc and nchw)
        throw usage_error("one of --nhwc and --nchw was expected, got both");
    tf_options o;
    o.is_nhwc = not nchw;
    o.batch_size = static_cast<unsigned int>(batch);
    o.map_input_dims = input_dims();
    o.output_node_names = output_names;
    return o;
}

value loader::report() const {
    if (file.empty())
        throw usage_error("report: a model file was expected, got none");
    if (tf or (not onnx and given_as(".pb")))
        return report_tf(file, options_for_tf());
    return report_onnx(file, options());
}

program loader::load() const {
    program p;
    if (test)
        p = test_program();
    else {
        if (file.empty())
            throw usage_error("a model file (or --test) was expected, got none");
        log::info() << "Reading: " << file;
        file_options as_json;
        as_json.format = "json";
        if (onnx or
            (not tf and not migraphx and not json and not text_program and given_as(".onnx")))
            p = parse_onnx(file, options());
        else if (tf or (not migraphx and not json and not text_program and given_as(".pb")))
            p = parse_tf(file, options_for_tf());
        else if (json or (not migraphx and given_as(".json")))
            p = migraphx::load(file, as_json);
        else if (text_program or (not migraphx and given_as(".txt")))
            p = parse_text(read_string(file));
        else
            p = migraphx::load(file);
    }
    if (trim > 0) {
        auto* m = p.get_main_module();
        auto end = m->end();
        for (std::size_t i = 0; i < trim and end != m->begin(); i++)
            --end;
        while (m->size() > 1 and end != m->end()) {
            auto last = std::prev(m->end());
            const bool done = last == end;
            m->remove_instruction(last);
            if (done)
                break;
        }
    }
    if (strip_context)
        p.clear_context();
    std::vector<pass> list;
    if (optimize)
        for (const char* name : {"eliminate_identity", "simplify_algebra", "simplify_reshapes",
                                 "eliminate_common_subexpression", "propagate_constant"})
            list.push_back(make_pass(name));
    for (const auto& name : passes)
        list.push_back(make_pass(name));
    if (not list.empty())
        run_passes(p, list);
    return p;
}

void writer::add_to(CLI::App& app) {
    app.add_flag("--graphviz,-g", graphviz, "as a graph for dot");
    app.add_flag("--brief", brief, "operator names only (graphviz)");
    app.add_flag("--cpp", cpp, "as C++ that builds it");
    app.add_flag("--python,--py", python, "as Python that builds it");
    app.add_flag("--json", json, "as JSON");
    app.add_flag("--text", text, "as text");
    app.add_flag("--binary", binary, "as MessagePack (.mxr)");
    app.add_option("--output,-o", output, "file to write");
}

void writer::write(const program& p) const {
    if (binary or (not output.empty() and not(graphviz or cpp or python or json or text))) {
        if (output.empty()) {
            const auto bytes = save_buffer(p);
            std::cout.write(bytes.data(), std::streamsize(bytes.size()));
        } else
            save(p, output);
        return;
    }
    std::ostringstream s;
    if (json)
        s << to_json_string(p.to_value()) << '\n';
    else if (python)
        p.print_py(s);
    else if (cpp)
        p.print_cpp(s);
    else if (graphviz)
        p.print_graph(s, brief);
    else
        s << p << '\n';
    if (output.empty())
        std::cout << s.str();
    else
        write_string(output, s.str());
}

namespace {

// The batch size for each dimension that is open, or what comes closest to it.
shape with_batch(const shape& s, std::size_t batch) {
    std::vector<std::size_t> lens;
    for (const auto& d : s.dyn_dims())
        lens.push_back(std::clamp(batch, d.get_interval().min, d.get_interval().max));
    return {s.type(), lens};
}

} // namespace

void filler::add_to(CLI::App& app) {
    app.add_option("--fill0", fill0, "parameters filled with 0")->expected(1, -1);
    app.add_option("--fill1", fill1, "parameters filled with 1")->expected(1, -1);
    app.add_option("--load-arg", load_arg, "@name file: a parameter from a saved argument")
        ->expected(1, -1);
}

parameter_map filler::fill(const program& p, const loader& l) const {
    parameter_map result;
    const auto dims = l.input_dims();
    for (const auto& [name, declared] : p.get_parameter_shapes()) {
        auto s = declared;
        auto it = dims.find(name);
        if (s.dynamic() and s.type() != shape::tuple_type and s.has_rank())
            s = it != dims.end() ? shape{s.type(), it->second} : with_batch(s, l.batch);
        if (std::find(fill0.begin(), fill0.end(), name) != fill0.end())
            result[name] = fill_argument(s, 0);
        else if (std::find(fill1.begin(), fill1.end(), name) != fill1.end())
            result[name] = fill_argument(s, 1);
        else
            result[name] =
                generate_argument(s, std::hash<std::string>{}(name), random_mode::random);
    }
    for (const auto& [name, words] : named_lists(load_arg, "--load-arg")) {
        if (words.size() != 1)
            throw usage_error("--load-arg: @name and one file were expected");
        result[name] = load_argument(words.front());
    }
    return result;
}

void compiler::add_to(CLI::App& app) {
    app.add_flag("--gpu", gpu, "compile for the gpu target");
    app.add_flag("--cpu", cpu, "compile for the cpu target");
    app.add_flag("--ref", ref, "compile for the reference target");
    app.add_flag("--null", null, "compile for the gpu and run that on the host, without one");
    app.add_option("--device", device, "which gpu");
    app.add_flag("--enable-offload-copy", offload_copy,
                 "copy inputs and outputs to and from the device");
    app.add_flag("--disable-fast-math", no_fast_math, "no approximations");
    app.add_flag("--tf32", tf32, "gpu: products and convolutions of float may round to TF32");
    app.add_flag("--exhaustive-tune", exhaustive_tune, "time candidates");
    app.add_flag("--fp16", fp16, "compute in half");
    app.add_flag("--bf16", bf16, "compute in bf16");
    app.add_flag("--int8", int8, "dot and convolution in int8, scaled by a run over the inputs");
    app.add_flag("--fp8", fp8, "dot and convolution in fp8e4m3fn, scaled by a run over the inputs");
    app.add_flag("--int4-weights", int4_weights, "weights of dot and convolution in 4 bits");
    app.add_option("--threads", threads, "threads of one evaluation (cpu)");
    app.add_flag_callback(
        "--time-passes", [] { time_phases(true); },
        "print where the time of compiling goes (stderr)");
}

std::string compiler::target_name() const {
    if (ref)
        return "ref";
    if (cpu)
        return "cpu";
    if (gpu)
        return "gpu";
    if (null)
        return "null";
    const auto available = get_targets();
    for (const char* name : {"gpu", "cpu"})
        if (std::find(available.begin(), available.end(), name) != available.end())
            return name;
    return "ref";
}

compile_options compiler::options() const {
    compile_options o;
    o.offload_copy = offload_copy;
    o.device_id = device;
    o.fast_math = not no_fast_math;
    o.tf32 = tf32;
    o.exhaustive_tune = exhaustive_tune;
    o.num_threads = threads;
    return o;
}

void compiler::quantize(program& p, const std::function<parameter_map()>& calibration) const {
    if (not lowers_precision())
        return;
    if (p.is_compiled()) {
        log::warn() << "the program is compiled: it keeps its precision";
        return;
    }
    const auto ranges = [&] { return std::vector<parameter_map>{calibration()}; };
    if (fp16) {
        log::info() << "Quantizing to fp16 ... ";
        quantize_fp16(p);
    }
    if (bf16) {
        log::info() << "Quantizing to bf16 ... ";
        quantize_bf16(p);
    }
    if (int8) {
        log::info() << "Quantizing to int8 ... ";
        quantize_int8(p, make_target(target_name()), ranges());
    }
    if (fp8) {
        log::info() << "Quantizing to fp8 ... ";
        quantize_fp8(p, make_target(target_name()), ranges());
    }
    if (int4_weights) {
        log::info() << "Quantizing weights to int4 ... ";
        quantize_int4_weights(p);
    }
}

void compiler::compile(program& p) const {
    if (p.is_compiled()) {
        if (p.get_offload_copy() != offload_copy)
            log::warn() << "the program was compiled " << (offload_copy ? "without" : "with")
                        << " offload copy";
        return;
    }
    log::info() << "Compiling ... ";
    const auto start = std::chrono::steady_clock::now();
    p.compile(make_target(target_name()), options());
    log::info() << "Compilation time: "
                << std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::steady_clock::now() - start)
                       .count()
                << "ms";
}

parameter_map for_target(const program& p, parameter_map params) {
    if (not p.get_offload_copy())
        for (auto& item : params)
            item.second = p.get_targets().front().copy_to(item.second);
    return params;
}

std::vector<argument> from_target(const program& p, std::vector<argument> results) {
    if (not p.get_offload_copy())
        for (auto& r : results)
            r = p.get_targets().front().copy_from(r);
    return results;
}

void tolerances::add_to(CLI::App& app) {
    app.add_option("--rms-tol", limit.rms_tol, "largest relative root mean square error");
    app.add_option("--atol", limit.atol, "largest absolute difference (with --rtol)");
    app.add_option("--rtol", limit.rtol, "largest relative difference");
}

} // namespace migraphx::driver
