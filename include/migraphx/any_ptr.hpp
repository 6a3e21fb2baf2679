// SPDX-License-Identifier: MIT
// A pointer that remembers the name of its type (streams of different runtimes).
#ifndef MIGRAPHX_ANY_PTR_HPP
#define MIGRAPHX_ANY_PTR_HPP

#include <migraphx/errors.hpp>
#include <migraphx/type_name.hpp>
#include <string>
#include <string_view>

namespace migraphx {

/// Pointer with the name of its type; `get<T*>()` throws when the names differ.
struct any_ptr {
    any_ptr() = default;
    template <class T>
    any_ptr(T* p) : m_ptr(p), m_name(get_type_name<T>()) {}
    any_ptr(void* p, std::string_view type_name) : m_ptr(p), m_name(type_name) {}

    void* unsafe_get() const { return m_ptr; }
    template <class T>
    T get() const {
        const auto& expected = get_type_name<std::remove_pointer_t<T>>();
        if (m_ptr != nullptr and m_name != expected)
            MIGRAPHX_THROW("any_ptr: a pointer to " + expected + " was expected, got one to " +
                           m_name);
        return reinterpret_cast<T>(m_ptr);
    }

private:
    void* m_ptr = nullptr;
    std::string m_name;
};

} // namespace migraphx
#endif
