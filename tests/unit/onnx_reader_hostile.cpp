// SPDX-License-Identifier: MIT
// Broken and hostile ONNX files: an error or a model, never a crash, a hang or a large allocation.
#include "base/files.hpp"
#include "import/onnx/graph_check.hpp"
#include "import/onnx/model.hpp"
#include "import/onnx/operator_count.hpp"
#include "import/onnx/tensor.hpp"
#include "onnx_writer.hpp"
#include "test_dir.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>

namespace {

namespace ow = onnx_writer;
using namespace migraphx::onnx;

// Touches every byte that a reader hands out.
std::size_t sum_tensor(const model& m, const tensor& t) {
    std::size_t sum = 0;
    try {
        if (t.type == element_type::string) {
            for (const auto s : tensor_strings(m, t))
                for (const char c : s)
                    sum += static_cast<unsigned char>(c);
        } else {
            for (const char c : tensor_data(m, t).bytes)
                sum += static_cast<unsigned char>(c);
        }
    } catch (const migraphx::exception&) {
        ++sum;
    }
    return sum;
}

std::size_t sum_graph(const model& m, const graph& g) {
    std::size_t sum = 0;
    for (const auto& t : g.initializers)
        sum += sum_tensor(m, t);
    for (const auto& n : g.nodes)
        for (const auto& a : n.attributes) {
            for (const auto& t : a.tensors)
                sum += sum_tensor(m, t);
            for (const auto& sub : a.graphs)
                sum += sum_graph(m, sub);
        }
    return sum;
}

// True when the bytes are a model. Anything but an exception of the library ends the test.
bool survives(const std::string& bytes) {
    try {
        const model m = read_model(bytes.data(), bytes.size());
        sum_graph(m, m.graph);
        check_model(m);
        count_operators(m);
        return true;
    } catch (const migraphx::exception& e) {
        EXPECT_GT(std::string(e.what()).size(), 20U);
        EXPECT_LT(std::string(e.what()).size(), 20000U);
        return false;
    }
}

class mutator {
public:
    explicit mutator(unsigned seed) : m_random(seed) {}

    std::string operator()(std::string bytes) {
        const std::size_t times = 1 + below(4);
        for (std::size_t i = 0; i < times && !bytes.empty(); ++i)
            mutate(bytes);
        return bytes;
    }

private:
    std::size_t below(std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(m_random);
    }

    void mutate(std::string& b) {
        const std::size_t at = below(b.size());
        switch (below(7)) {
        case 0:
            b[at] = static_cast<char>(b[at] ^ (1 << below(8)));
            break;
        case 1:
            b[at] = static_cast<char>(below(256));
            break;
        case 2:
            b.resize(at);
            break;
        case 3:
            b.erase(at, 1 + below(16));
            break;
        case 4: // a length or number that is absurd
            b.replace(at, 1, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 1 + below(9)));
            break;
        case 5:
            b.insert(at, b.substr(below(b.size()), below(64)));
            break;
        default: {
            const std::size_t n = std::min<std::size_t>(1 + below(8), b.size() - at);
            b.replace(at, n, n, below(2) == 0 ? '\xff' : '\0');
            break;
        }
        }
    }

    std::mt19937 m_random;
};

void expect_survival(const std::string& original, int count) {
    ASSERT_TRUE(survives(original));
    int models = 0;
    for (int seed = 0; seed < count; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const auto start = std::chrono::steady_clock::now();
        models += survives(mutator(static_cast<unsigned>(seed))(original)) ? 1 : 0;
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    }
    EXPECT_GT(models, 0);
    EXPECT_LT(models, count);
}

} // namespace

TEST(onnx_reader_hostile, mutations_of_a_small_model) {
    expect_survival(ow::small_model(), 5000);
}

TEST(onnx_reader_hostile, mutations_of_resnet18) {
    const auto path = migraphx_test::test_dir() / "../../shared/models/resnet18.onnx";
    if (!std::filesystem::exists(path))
        GTEST_SKIP() << "no models beside the repository";
    expect_survival(std::string(migraphx::map_file(path)->view()), 5000);
}

TEST(onnx_reader_hostile, every_truncation_of_a_small_model) {
    const std::string whole = ow::small_model();
    for (std::size_t n = 0; n < whole.size(); ++n) {
        SCOPED_TRACE(n);
        survives(whole.substr(0, n));
    }
}

TEST(onnx_reader_hostile, structures_are_paid_for_by_file_size) {
    // Two bytes each for nodes that are much larger in memory.
    std::string nodes;
    for (int i = 0; i < 1000000; ++i)
        nodes += std::string("\x0a\x00", 2);
    try {
        const std::string bytes = ow::model(nodes);
        read_model(bytes.data(), bytes.size());
        FAIL() << "no error";
    } catch (const migraphx::exception& e) {
        EXPECT_NE(std::string(e.what()).find("plausible size"), std::string::npos) << e.what();
    }
}

TEST(onnx_reader_hostile, repeated_single_messages_take_linear_time) {
    ow::graph g;
    g.nodes = {ow::node("A", {}, {})};
    const std::string one = g.write();
    const std::string bytes = ow::message([&](auto& w) {
        for (int i = 0; i < 100000; ++i)
            w.add_message(7, one);
    });
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(read_model(bytes.data(), bytes.size()).graph.nodes.size(), 100000U);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(onnx_reader_hostile, long_chains_and_cycles) {
    const auto reversed_chain = [](int n, const std::string& first_input) {
        ow::graph g;
        for (int i = n; i > 0; --i)
            g.nodes.push_back(ow::node("A", {i == 1 ? first_input : "v" + std::to_string(i - 1)},
                                       {"v" + std::to_string(i)}));
        g.inputs = {ow::value("x", ow::tensor_type(1, {}))};
        return ow::model(g.write());
    };
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(survives(reversed_chain(50000, "x")));
    EXPECT_FALSE(survives(reversed_chain(50000, "v50000")));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}
