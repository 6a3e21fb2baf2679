// SPDX-License-Identifier: MIT
// Every model read from ONNX survives text (both modes), `.mxr` and JSON. The models are the *.onnx
// files of the folder MGX_MODELS_DIR (`tools/models.py prepare` fills one); skipped without
// it.
#include "ir/text.hpp"
#include "ir/text_parser.hpp"

#include <migraphx/load_save.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/tmp_dir.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

using namespace migraphx;

namespace {

// JSON and lossless text spell each byte out: only for models with less weight than this.
constexpr std::size_t spelled_out_bytes = std::size_t{32} << 20;

std::vector<std::string> model_files() {
    std::vector<std::string> files;
    const char* folder = std::getenv("MGX_MODELS_DIR");
    if (folder != nullptr)
        for (const auto& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".onnx")
                files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

// As the model is, and where sizes of 1 for its unknown dimensions do not fit, for a range of them.
program read_model(const std::string& file) {
    try {
        return parse_onnx(file);
    } catch (const exception&) {
        onnx_options options;
        options.default_dyn_dim_value = {1, 640};
        return parse_onnx(file, options);
    }
}

class model_round_trip : public testing::TestWithParam<std::string> {};

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    auto name = fs::path(info.param).stem().string();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

} // namespace

TEST_P(model_round_trip, text_and_files) {
    const auto p = read_model(GetParam());
    const auto text = to_text(p);
    auto q = parse_text(text);
    EXPECT_EQ(to_text(q), text);
    EXPECT_TRUE(p == q);

    const tmp_dir dir{"model_round_trip"};
    const auto file = (dir.path / "model.mxr").string();
    save(p, file);
    q = load(file);
    EXPECT_TRUE(p == q);
    EXPECT_TRUE(save_buffer(q) == save_buffer(p));

    if (save_buffer(p).size() > spelled_out_bytes)
        return;
    const auto lossless = to_text(p, {true});
    q = parse_text(lossless);
    EXPECT_TRUE(to_text(q, {true}) == lossless);
    EXPECT_TRUE(save_buffer(q) == save_buffer(p));
    file_options json;
    json.format = "json";
    q = load_buffer(save_buffer(p, json), json);
    EXPECT_TRUE(save_buffer(q) == save_buffer(p));
}

INSTANTIATE_TEST_SUITE_P(models, model_round_trip, testing::ValuesIn(model_files()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(model_round_trip);
