// SPDX-License-Identifier: MIT
// program, module and instruction_ref. Handles of modules and instructions keep their program
// alive; a module is looked up by name at each use, so that none dangles after passes have removed
// it.
#include "python/bind.hpp"

#include <migraphx/op/builder/insert.hpp>

#include "base/str.hpp"

#include <sstream>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unordered_map.h>
#include <nanobind/stl/vector.h>

namespace migraphx::python {

namespace {

using input_sizes = std::unordered_map<std::string, std::vector<std::size_t>>;
using named_tensors = nb::typed<nb::dict, nb::str, nb::object>;

struct py_module {
    nb::object owner;
    std::string name;

    py_program& parent() const { return nb::cast<py_program&>(owner); }
    module& get() const {
        auto* m = parent().get_module(name);
        if (m == nullptr)
            fail(error_kind::invalid_argument,
                 "module " + name +
                     ": a module of the program was expected, got one that was removed");
        return *m;
    }
};

struct py_instruction {
    nb::object owner;
    instruction_ref ref;
    std::size_t generation;

    py_instruction(const nb::object& program, instruction_ref ins)
        : owner(program), ref(ins), generation(nb::cast<py_program&>(program).generation) {}

    instruction& get() const {
        if (generation != nb::cast<py_program&>(owner).generation)
            fail(error_kind::invalid_argument, "instruction_ref: an instruction of the present "
                                               "program was expected, got one from before "
                                               "it was compiled");
        return *ref;
    }
};

using py_instructions = std::vector<py_instruction>;
using py_modules = std::vector<py_module>;

template <class Range>
py_instructions wrap(const nb::object& program, const Range& instructions) {
    py_instructions result;
    for (auto ins : instructions)
        result.emplace_back(program, ins);
    return result;
}

std::vector<instruction_ref> unwrap(const py_module& m, const py_instructions& args) {
    std::vector<instruction_ref> result;
    for (const auto& x : args) {
        if (not x.owner.is(m.owner))
            throw nb::value_error(
                "args: instructions of this program were expected, got one of another");
        x.get();
        result.push_back(x.ref);
    }
    return result;
}

std::vector<module_ref> unwrap(const py_module& m, const py_modules& mods) {
    std::vector<module_ref> result;
    for (const auto& x : mods) {
        if (not x.owner.is(m.owner))
            throw nb::value_error(
                "mod_args: modules of this program were expected, got one of another");
        result.push_back(&x.get());
    }
    return result;
}

// A literal owns a copy; gaps between the elements are not copied.
literal to_literal(nb::handle data) {
    const auto a = to_argument(data);
    const auto& s = a.get_shape();
    if (s.packed() or s.broadcasted() or s.elements() == 0)
        return {s, a.data()};
    literal result;
    a.visit([&](auto view) { result = literal{s.as_standard(), view.begin(), view.end()}; });
    return result;
}

void bind_module(nb::module_& m) {
    const auto one = [](const py_module& x, instruction_ref ins) {
        return py_instruction(x.owner, ins);
    };
    nb::class_<py_module>(m, "module", "A graph of instructions; belongs to a program.")
        .def("name", [](const py_module& x) { return x.name; })
        .def(
            "add_instruction",
            [=](const py_module& x, const operation& op, const py_instructions& args,
                const py_modules& mods) {
                return one(x, x.get().add_instruction(op, unwrap(x, args), unwrap(x, mods)));
            },
            "op"_a, "args"_a, "mod_args"_a = nb::list(),
            "Adds op(args) at the end. RuntimeError when the operator does not take these shapes.")
        .def(
            "add_literal",
            [=](const py_module& x, nb::handle data) {
                return one(x, x.get().add_literal(to_literal(data)));
            },
            "data"_a, "Adds a constant: a copy of an argument or of any tensor argument() takes.")
        .def(
            "add_parameter",
            [=](const py_module& x, const std::string& name, const shape& s) {
                return one(x, x.get().add_parameter(name, s));
            },
            "name"_a, "shape"_a, "Adds an input.")
        .def(
            "add_return",
            [=](const py_module& x, const py_instructions& args) {
                return one(x, x.get().add_return(unwrap(x, args)));
            },
            "args"_a, "Ends the module with these results.")
        .def(
            "replace_return",
            [=](const py_module& x, const py_instructions& args) {
                return one(x, x.get().replace_return(unwrap(x, args)));
            },
            "args"_a)
        .def(
            "add_macro",
            [](const py_module& x, const py_macro& macro, const py_instructions& args,
               const py_modules& mods) {
                return wrap(x.owner, op::builder::add(macro.name, x.get(), unwrap(x, args),
                                                      unwrap(x, mods), macro.options));
            },
            "macro"_a, "args"_a, "mod_args"_a = nb::list(),
            "Expands a recipe at the end; its results.")
        .def(
            "insert_macro",
            [](const py_module& x, const py_instruction& ins, const py_macro& macro,
               const py_instructions& args, const py_modules& mods) {
                const auto pos = unwrap(x, py_instructions{ins}).front();
                return wrap(x.owner, op::builder::insert(macro.name, x.get(), pos, unwrap(x, args),
                                                         unwrap(x, mods), macro.options));
            },
            "ins"_a, "macro"_a, "args"_a, "mod_args"_a = nb::list(),
            "Expands a recipe before `ins`; its results.")
        .def("print", [](const py_module& x) { nb::print(nb::str(str(x.get()).c_str())); })
        .def("__iter__",
             [](const py_module& x) {
                 auto& mod = x.get();
                 py_instructions all;
                 for (auto ins = mod.begin(); ins != mod.end(); ++ins)
                     all.emplace_back(x.owner, ins);
                 return nb::iter(nb::cast(std::move(all)));
             })
        .def("__len__", [](const py_module& x) { return x.get().size(); })
        .def("__repr__", [](const py_module& x) { return str(x.get()); });
}

void bind_instruction(nb::module_& m) {
    nb::class_<py_instruction>(m, "instruction_ref",
                               "An instruction of a module. Compiling the program ends its use.")
        .def(
            "shape", [](const py_instruction& x) { return x.get().get_shape(); }, "Output shape.")
        .def("op", [](const py_instruction& x) { return x.get().get_operator(); })
        .def(
            "name", [](const py_instruction& x) { return x.get().name(); }, "Name of the operator.")
        .def("inputs", [](const py_instruction& x) { return wrap(x.owner, x.get().inputs()); })
        .def(
            "outputs", [](const py_instruction& x) { return wrap(x.owner, x.get().outputs()); },
            "Instructions that use this one.")
        .def(
            "get_literal",
            [](const py_instruction& x) { return read_only(x.get().get_literal().get_argument()); },
            "The value of a @literal, read-only and not copied. RuntimeError for others.")
        .def("__hash__",
             [](const py_instruction& x) { return std::hash<instruction_ref>{}(x.ref); })
        .def(
            "__eq__",
            [](const py_instruction& x, const py_instruction& y) { return x.ref == y.ref; },
            nb::is_operator())
        .def(
            "__ne__",
            [](const py_instruction& x, const py_instruction& y) { return x.ref != y.ref; },
            nb::is_operator())
        .def("__repr__", [](const py_instruction& x) {
            return str(x.get().get_operator(), " -> ", x.get().get_shape());
        });
}

// Values that are no tensors may stand for parameters; names that the program does not have are
// ignored.
parameter_map to_parameters(const py_program& p, const named_tensors& params) {
    parameter_map result;
    const bool tensors = not p.is_boxed();
    for (auto [key, x] : params) {
        const auto name = nb::cast<std::string>(key);
        std::optional<argument> tensor;
        try {
            if (tensors)
                tensor = find_tensor(x);
        } catch (const nb::builtin_exception&) {
            // Raised again below if the program has the parameter.
        }
        if (tensor) {
            result.emplace(name, std::move(*tensor));
            continue;
        }
        const auto declared = p.get_parameter_shapes();
        if (const auto found = declared.find(name); found != declared.end())
            result.emplace(name, to_value_argument(name, x, found->second));
    }
    return result;
}

// Shapes of the outputs with these names; of all without names.
std::vector<shape> shapes_of(const py_program& p, const std::vector<std::string>& output_names) {
    const auto shapes = p.get_output_shapes();
    if (output_names.empty())
        return shapes;
    const auto named = p.get_outputs();
    std::vector<shape> result;
    for (const auto& name : output_names)
        result.push_back(named.at(name));
    return result;
}

nb::list to_list(const py_program& p, const std::vector<argument>& results,
                 const std::vector<std::string>& output_names) {
    nb::list list;
    const auto declared = p.is_boxed() ? shapes_of(p, output_names) : std::vector<shape>{};
    for (std::size_t i = 0; i < results.size(); ++i)
        list.append(from_value_argument(results[i], i < declared.size() ? declared[i] : shape{}));
    return list;
}

nb::list run(const py_program& p, const named_tensors& params,
             const std::vector<std::string>& output_names) {
    const auto map = to_parameters(p, params);
    std::vector<argument> results;
    {
        nb::gil_scoped_release others;
        results = output_names.empty() ? p.eval(map) : p.eval(map, output_names);
    }
    return to_list(p, results, output_names);
}

nb::list run_async(const py_program& p, const named_tensors& params, std::uintptr_t stream,
                   const std::string& stream_name) {
    const auto map = to_parameters(p, params);
    std::vector<argument> results;
    {
        nb::gil_scoped_release others;
        results = p.eval(map, {any_ptr(reinterpret_cast<void*>(stream), stream_name), true});
    }
    return to_list(p, results, {});
}

void compile(py_program& p, const target& t, bool offload_copy, bool fast_math,
             bool exhaustive_tune, std::size_t device_id, std::size_t num_threads, bool is_dynamic,
             bool tf32) {
    compile_options options;
    options.offload_copy = offload_copy;
    options.fast_math = fast_math;
    options.exhaustive_tune = exhaustive_tune;
    options.device_id = device_id;
    options.num_threads = num_threads;
    options.is_dynamic = is_dynamic;
    options.tf32 = tf32;
    ++p.generation;
    nb::gil_scoped_release others;
    p.compile(t, options);
}

int reshape(py_program& p, const input_sizes& inputs, bool print_info) {
    nb::gil_scoped_release others;
    return p.reshape(inputs, print_info);
}

using named_shapes = nb::typed<nb::dict, nb::str, shape>;

// A dict in the order of `names`.
named_shapes in_order(const std::vector<std::string>& names,
                      const std::unordered_map<std::string, shape>& shapes) {
    nb::dict result;
    for (const auto& name : names)
        if (auto found = shapes.find(name); found != shapes.end())
            result[nb::str(name.c_str())] = found->second;
    return named_shapes(result);
}

py_module module_of(nb::handle_t<py_program> p, const module* m) {
    return {nb::borrow(p), m->name()};
}

void bind_program_class(nb::module_& m) {
    nb::class_<py_program>(m, "program",
                           "A model: a main module, its sub-modules and, once compiled, what runs "
                           "it. run() may be called from several threads at once.")
        .def(nb::init<>())
        .def(
            "get_parameter_names", [](const py_program& p) { return p.get_parameter_names(); },
            "In the order of declaration.")
        .def("get_parameter_shapes",
             [](const py_program& p) {
                 return in_order(p.get_parameter_names(), p.get_parameter_shapes());
             })
        .def("get_output_shapes", [](const py_program& p) { return p.get_output_shapes(); })
        .def(
            "get_inputs",
            [](const py_program& p) { return in_order(p.get_parameter_names(), p.get_inputs()); },
            "Names and shapes of the model's inputs.")
        .def(
            "get_outputs",
            [](const py_program& p) { return in_order(p.get_output_names(), p.get_outputs()); },
            "Names and shapes of the model's outputs.")
        .def("is_compiled", [](const py_program& p) { return p.is_compiled(); })
        .def("compile", &compile, "t"_a, "offload_copy"_a = true, "fast_math"_a = true,
             "exhaustive_tune"_a = false, "device_id"_a = 0, "num_threads"_a = 0,
             "is_dynamic"_a = false, "tf32"_a = false,
             "Prepares the program for a target; once. num_threads: on cpu, 0 for all "
             "that the "
             "process may use; is_dynamic: smaller sizes than the parsed ones may be given to run; "
             "tf32: on gpu, products and convolutions of float may round to TF32.")
        .def(
            "run", &run, "params"_a, "output_names"_a = nb::list(),
            "Evaluates with a dict of name -> tensor; a list of arguments, all outputs or the "
            "named ones "
            "in that order. Tensors are not copied; a Python number serves for one element, a list "
            "for a sequence, None for an empty optional, and such outputs come as lists or None; "
            "other keys "
            "are ignored.\nRuntimeError for a missing parameter, a wrong shape or an unknown "
            "output, "
            "TypeError for what is no tensor.")
        .def("run_async", &run_async, "params"_a, "stream"_a, "stream_name"_a,
             "As run, on the caller's stream (its address and the name of its C++ type).")
        .def("reshape", &reshape, "inputs"_a = nb::dict(), "printInfo"_a = true,
             "Prepares a compiled program for these input sizes; 0 when done.")
        .def(
            "get_memory_usage", [](const py_program& p) { return p.get_memory_usage(); },
            "Bytes that the compiled program holds.")
        .def("get_offload_copy", [](const py_program& p) { return p.get_offload_copy(); })
        .def("get_main_module",
             [](nb::handle_t<py_program> p) {
                 return module_of(p, nb::cast<py_program&>(p).get_main_module());
             })
        .def(
            "create_module",
            [](nb::handle_t<py_program> p, const std::string& name) {
                return module_of(p, nb::cast<py_program&>(p).create_module(name));
            },
            "name"_a)
        .def(
            "sort",
            [](nb::handle_t<py_program> p) {
                nb::cast<py_program&>(p).sort();
                return nb::borrow(p);
            },
            nb::sig("def sort(self) -> program"),
            "Puts the instructions into topological order; itself.")
        .def(
            "clone", [](const py_program& p) { return py_program(p); },
            "A copy; what is compiled is shared.")
        .def(
            "to_py",
            [](const py_program& p) {
                std::ostringstream text;
                p.print_py(text);
                return text.str();
            },
            "Python source that builds the program.")
        .def("print", [](const py_program& p) { nb::print(nb::str(str(p).c_str())); })
        .def(
            "__eq__", [](const py_program& x, const py_program& y) { return x == y; },
            nb::is_operator(), "Whether the printed texts are equal.")
        .def(
            "__ne__", [](const py_program& x, const py_program& y) { return x != y; },
            nb::is_operator())
        .def("__repr__", [](const py_program& p) { return str(p); })
        .attr("__hash__") = nb::none();
}

} // namespace

void bind_program(nb::module_& m) {
    bind_instruction(m);
    bind_module(m);
    bind_program_class(m);
    m.def(
        "reshape2",
        [](py_program& p, const input_sizes& inputs) { return reshape(p, inputs, true); }, "prog"_a,
        "inputs"_a = nb::dict(), "Deprecated: program.reshape.");
}

} // namespace migraphx::python
