// SPDX-License-Identifier: MIT
// Lines of generated code, indented by their blocks.
#pragma once

#include <string>

namespace migraphx::gpu {

class code_text {
public:
    void line(const std::string& s) { text += std::string(depth * 4, ' ') + s + "\n"; }
    /// A line that ends in "{".
    void open(const std::string& s) {
        line(s + " {");
        depth++;
    }
    void close(const std::string& after = "") {
        depth--;
        line("}" + after);
    }
    /// `for (int i = 0; i < n; i++) {`, all of it at compile time.
    void unrolled(const std::string& i, int n) {
        line("#pragma unroll");
        open("for (int " + i + " = 0; " + i + " < " + std::to_string(n) + "; " + i + "++)");
    }
    const std::string& str() const { return text; }

private:
    std::string text;
    std::size_t depth = 0;
};

} // namespace migraphx::gpu
