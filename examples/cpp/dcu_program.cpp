// SPDX-License-Identifier: MIT
// The usual program of users on DCU: parse an ONNX file, look at its inputs, compile, run on an
// image blob, read the result. Theirs says gpu::target{}; here the command line picks the target.
#include <migraphx/compile_options.hpp>
#include <migraphx/cpu/target.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/gpu/target.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/program.hpp>
#include <migraphx/ref/target.hpp>
#include <migraphx/target.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#if __has_include(<opencv2/dnn.hpp>)
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#define DCU_PROGRAM_HAS_OPENCV 1
#endif

namespace {

struct wrong_usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct settings {
    std::string model;
    std::string target = "cpu";
    std::string image;
    std::unordered_map<std::string, std::vector<std::size_t>> input_dims;
};

const char* const usage = "usage: dcu_program MODEL.onnx [--target cpu|gpu|ref] "
                          "[--input NAME=N,C,H,W]... [--image FILE]\n";

// "x=1,3,224,224" to a name and its dimensions.
std::pair<std::string, std::vector<std::size_t>> parse_input(const std::string& text) {
    const auto wrong = [&] { return wrong_usage("--input: expected NAME=N,C,H,W, got " + text); };
    const auto equals = text.find('=');
    if (equals == std::string::npos or equals == 0)
        throw wrong();
    std::vector<std::size_t> dims;
    for (std::size_t at = equals; at != std::string::npos; at = text.find(',', at + 1)) {
        const auto digits = text.substr(at + 1, text.find(',', at + 1) - at - 1);
        if (digits.empty() or digits.size() > 9 or
            digits.find_first_not_of("0123456789") != std::string::npos)
            throw wrong();
        dims.push_back(std::stoul(digits));
    }
    return {text.substr(0, equals), dims};
}

settings parse_arguments(int argc, char** argv) {
    settings result;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.rfind("--", 0) != 0) {
            if (not result.model.empty())
                throw wrong_usage("command line: expected one model, got " + word + " as well");
            result.model = word;
            continue;
        }
        if (i + 1 == argc)
            throw wrong_usage(word + ": expected a value, got none");
        const std::string next = argv[++i];
        if (word == "--target")
            result.target = next;
        else if (word == "--input")
            result.input_dims.insert(parse_input(next));
        else if (word == "--image")
            result.image = next;
        else
            throw wrong_usage("command line: expected --target, --input or --image, got " + word);
    }
    if (result.model.empty())
        throw wrong_usage("command line: expected a model, got none");
    return result;
}

migraphx::target pick_target(const std::string& name) {
    if (name == "cpu")
        return migraphx::cpu::target{};
    if (name == "gpu")
        return migraphx::gpu::target{};
    if (name == "ref")
        return migraphx::ref::target{};
    throw wrong_usage("--target: expected cpu, gpu or ref, got " + name);
}

// A blob in NCHW layout and float, and whoever owns its memory.
struct image_blob {
#ifdef DCU_PROGRAM_HAS_OPENCV
    cv::Mat mat;
#endif
    std::vector<float> values;
    float* data = nullptr;
};

// Without an image: a ramp, the same as dcu_program.py makes.
image_blob ramp(const migraphx::shape& s) {
    image_blob blob;
    blob.values.resize(s.elements());
    for (std::size_t i = 0; i < blob.values.size(); ++i)
        blob.values[i] = static_cast<float>(i % 255) / 128.0f - 1.0f;
    blob.data = blob.values.data();
    return blob;
}

image_blob make_blob(const migraphx::shape& s, const std::string& image) {
    if (image.empty())
        return ramp(s);
#ifdef DCU_PROGRAM_HAS_OPENCV
    image_blob blob;
    const cv::Mat picture = cv::imread(image);
    if (picture.empty())
        throw std::runtime_error("--image: expected a picture, got " + image);
    const auto& lens = s.lens();
    const cv::Size size(static_cast<int>(lens[3]), static_cast<int>(lens[2]));
    blob.mat =
        cv::dnn::blobFromImage(picture, 1.0 / 127.5, size, cv::Scalar(127.5, 127.5, 127.5), true);
    if (blob.mat.total() != s.elements())
        throw std::runtime_error("--image: expected an input of 1, 3, H, W, got another shape");
    blob.data = reinterpret_cast<float*>(blob.mat.data);
    return blob;
#else
    throw wrong_usage("--image: expected a build with OpenCV, got one without");
#endif
}

void print_shapes(const char* kind, const std::unordered_map<std::string, migraphx::shape>& all) {
    for (const auto& [name, s] : std::map(all.begin(), all.end())) {
        std::printf("%s %s %s {", kind, name.c_str(), s.type_string().c_str());
        for (std::size_t i = 0; i < s.lens().size(); ++i)
            std::printf("%s%zu", i == 0 ? "" : ", ", s.lens()[i]);
        std::printf("}\n");
    }
}

void print_largest(const float* values, std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto shown = std::min<std::size_t>(5, count);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown),
                      order.end(), [&](std::size_t a, std::size_t b) {
                          return values[a] > values[b] or (values[a] == values[b] and a < b);
                      });
    for (std::size_t i = 0; i < shown; ++i)
        std::printf("  [%zu] %.6f\n", order[i], static_cast<double>(values[order[i]]));
}

void run(const settings& chosen) {
    migraphx::onnx_options onnx_options;
    onnx_options.map_input_dims = chosen.input_dims;
    migraphx::program net = migraphx::parse_onnx(chosen.model, onnx_options);

    const std::unordered_map<std::string, migraphx::shape> inputs = net.get_inputs();
    const std::unordered_map<std::string, migraphx::shape> outputs = net.get_outputs();
    print_shapes("input", inputs);
    print_shapes("output", outputs);

    migraphx::compile_options options;
    options.device_id = 0;
    options.offload_copy = true;
    net.compile(pick_target(chosen.target), options);

    std::vector<image_blob> blobs;
    blobs.reserve(inputs.size());
    migraphx::parameter_map input_data;
    for (const auto& [name, s] : inputs) {
        if (s.type() == migraphx::shape::float_type and s.lens().size() == 4) {
            blobs.push_back(make_blob(s, chosen.image));
            input_data[name] = migraphx::argument{s, blobs.back().data};
        } else {
            input_data[name] = migraphx::fill_argument(s, 1);
        }
    }

    std::vector<migraphx::argument> results = net.eval(input_data);
    const migraphx::argument result = results[0].get_shape().type() == migraphx::shape::float_type
                                          ? results[0]
                                          : results[0].convert(migraphx::shape::float_type);
    const auto* values = reinterpret_cast<const float*>(result.data());
    std::printf("%zu results, the largest values of the first:\n", results.size());
    print_largest(values, result.get_shape().elements());

    // One output by its name: what only the others need is not computed.
    const std::vector<std::string> names = {
        std::map(outputs.begin(), outputs.end()).begin()->first};
    const auto chosen_results = net.eval(input_data, names);
    std::printf("by name: %zu result of %zu elements\n", chosen_results.size(),
                chosen_results[0].get_shape().elements());
}

} // namespace

int main(int argc, char** argv) {
    try {
        run(parse_arguments(argc, argv));
        return 0;
    } catch (const wrong_usage& e) {
        std::fprintf(stderr, "dcu_program: %s\n%s", e.what(), usage);
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "dcu_program: %s\n", e.what());
        return 1;
    }
}
