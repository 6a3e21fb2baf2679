// SPDX-License-Identifier: MIT
// Files: maps, whole reads, replacing writes, temporary directories.
#include "base/files.hpp"

#include "base/settings.hpp"
#include "base/str.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <limits>
#include <map>
#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>
#include <mutex>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace migraphx {
namespace {

const setting<bool> keep_tmp_dirs{"MIGRAPHX_DEBUG_SAVE_TEMP_DIR", false,
                                  "keep temporary directories"};

[[noreturn]] void fail_file(const fs::path& name, const char* what, int error) {
    fail(error_kind::io, str(name.native(), ": expected ", what, ", got ", std::strerror(error)));
}

class file_handle {
public:
    file_handle(const fs::path& name, int flags) : fd(::open(name.c_str(), flags | O_CLOEXEC)) {
        if (fd < 0)
            fail_file(name, "a file that can be opened", errno);
    }
    file_handle(const file_handle&) = delete;
    file_handle& operator=(const file_handle&) = delete;
    ~file_handle() { ::close(fd); }
    int fd;
};

struct stat file_status(const fs::path& name, int fd) {
    struct stat s {};
    if (::fstat(fd, &s) != 0)
        fail_file(name, "a readable file", errno);
    if (S_ISDIR(s.st_mode))
        fail_file(name, "a file", EISDIR);
    return s;
}

// Up to n bytes; fewer only at the end of the file.
std::size_t read_bytes(const fs::path& name, int fd, char* out, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
        const auto got = ::read(fd, out + done, std::min<std::size_t>(n - done, 1u << 30));
        if (got < 0 and errno == EINTR)
            continue;
        if (got < 0)
            fail_file(name, "a readable file", errno);
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

template <class Container>
Container read_whole(const fs::path& name, std::size_t offset, std::size_t nbytes) {
    const file_handle file(name, O_RDONLY);
    const auto status = file_status(name, file.fd);
    Container out;
    if (not S_ISREG(status.st_mode) or status.st_size == 0) {
        // Pipes, devices and files of /proc tell no size: read to the end, then cut.
        char part[65536];
        const std::size_t most = std::numeric_limits<std::size_t>::max() - offset;
        const std::size_t want = nbytes == 0 ? most : std::min(nbytes, most);
        std::size_t skipped = 0;
        while (out.size() < want) {
            const auto n = read_bytes(name, file.fd, part, sizeof(part));
            if (n == 0)
                break;
            const auto skip = std::min(n, offset - skipped);
            skipped += skip;
            out.insert(out.end(), part + skip, part + skip + std::min(n - skip, want - out.size()));
        }
    } else {
        const auto size = static_cast<std::size_t>(status.st_size);
        if (offset > size or nbytes > size - offset)
            fail(error_kind::io,
                 str(name.native(), ": expected at least ", nbytes, " bytes at offset ", offset,
                     ", got a file of ", size, " bytes"));
        if (::lseek(file.fd, static_cast<off_t>(offset), SEEK_SET) < 0)
            fail_file(name, "a readable file", errno);
        out.resize(nbytes == 0 ? size - offset : nbytes);
        out.resize(read_bytes(name, file.fd, out.data(), out.size()));
    }
    if (nbytes != 0 and out.size() != nbytes)
        fail(error_kind::io, str(name.native(), ": expected ", nbytes, " bytes at offset ", offset,
                                 ", got ", out.size()));
    return out;
}

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

std::string unique_suffix() {
    static std::atomic<unsigned> counter{0};
    static const unsigned seed = std::random_device{}();
    return str(::getpid(), ".", seed, ".", counter++);
}

} // namespace

std::vector<char> read_buffer(const fs::path& filename, std::size_t offset, std::size_t nbytes) {
    return read_whole<std::vector<char>>(filename, offset, nbytes);
}

std::string read_string(const fs::path& filename) {
    return read_whole<std::string>(filename, 0, 0);
}

void write_buffer(const fs::path& filename, const char* buffer, std::size_t size) {
    file_writer out(filename);
    out.write(buffer, size);
    out.commit();
}

void write_buffer(const fs::path& filename, const std::vector<char>& buffer) {
    write_buffer(filename, buffer.data(), buffer.size());
}

void write_string(const fs::path& filename, const std::string& text) {
    write_buffer(filename, text.data(), text.size());
}

namespace {

// The maps of this process, to tell their memory from other memory.
struct map_registry {
    std::mutex mutex;
    std::map<const char*, const mapped_file*> by_start;
};

map_registry& live_maps() {
    static auto* maps = new map_registry; // arguments may outlive static destruction
    return *maps;
}

} // namespace

mapped_file::mapped_file(const fs::path& filename) : name(filename) {
    // Opening a pipe must not wait for a writer: it is refused below.
    const file_handle file(name, O_RDONLY | O_NONBLOCK);
    const auto status = file_status(name, file.fd);
    if (not S_ISREG(status.st_mode))
        fail_file(name, "a regular file", ESPIPE);
    count = static_cast<std::size_t>(status.st_size);
    if (count == 0)
        return;
    void* p = ::mmap(nullptr, count, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (p == MAP_FAILED)
        fail_file(name, "a file that can be mapped", errno);
    bytes = static_cast<const char*>(p);
    const std::lock_guard lock(live_maps().mutex);
    live_maps().by_start[bytes] = this;
}

mapped_file::~mapped_file() {
    if (bytes == nullptr)
        return;
    {
        const std::lock_guard lock(live_maps().mutex);
        live_maps().by_start.erase(bytes);
    }
    ::munmap(const_cast<char*>(bytes), count); // munmap takes void*
}

void mapped_file::advise_dontneed(std::size_t offset, std::size_t n) const {
    if (offset >= count)
        return;
    const std::size_t page = page_size();
    const std::size_t end = offset + std::min(n, count - offset);
    const std::size_t first = (offset + page - 1) / page * page;
    const std::size_t last = end == count ? count : end / page * page;
    if (first < last)
        ::madvise(const_cast<char*>(bytes) + first, last - first, MADV_DONTNEED);
}

void mapped_file::advise_willneed(std::size_t offset, std::size_t n) const {
    if (offset >= count)
        return;
    const std::size_t first = offset / page_size() * page_size();
    const std::size_t end = offset + std::min(n, count - offset);
    ::madvise(const_cast<char*>(bytes) + first, end - first, MADV_WILLNEED);
}

std::shared_ptr<const mapped_file> map_file(const fs::path& filename) {
    return std::make_shared<const mapped_file>(filename);
}

void drop_mapped_pages(const char* bytes, std::size_t n) {
    auto& live = live_maps();
    const std::lock_guard lock(live.mutex);
    auto it = live.by_start.upper_bound(bytes);
    if (it == live.by_start.begin())
        return;
    const auto& file = *std::prev(it)->second;
    const auto offset = static_cast<std::size_t>(bytes - file.data());
    if (offset < file.size() and n <= file.size() - offset)
        file.advise_dontneed(offset, n);
}

file_writer::file_writer(const fs::path& filename) : target(filename) {
    std::error_code none;
    if (const auto real = fs::canonical(filename, none); not none)
        target = real; // the file behind a link is replaced, not the link
    struct stat old {};
    const bool exists = ::stat(target.c_str(), &old) == 0;
    if (exists and S_ISDIR(old.st_mode))
        fail_file(target, "a file", EISDIR);
    direct = exists and not S_ISREG(old.st_mode);
    written = direct ? target : fs::path(target.native() + ".tmp." + unique_suffix());
    const int flags = direct ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL;
    if (exists and not direct and ::access(target.c_str(), W_OK) != 0)
        fail_with_errno("a file that can be written");
    fd = ::open(written.c_str(), flags | O_CLOEXEC, 0666);
    if (fd < 0)
        fail_with_errno("a file that can be written");
    if (exists and not direct and ::fchmod(fd, old.st_mode & 07777) != 0)
        log::debug() << target.native() << ": its permissions could not be kept";
}

file_writer::~file_writer() {
    if (fd < 0)
        return;
    ::close(fd);
    if (not direct)
        ::unlink(written.c_str());
}

void file_writer::write(const char* bytes, std::size_t n) {
    constexpr std::size_t buffer_size = 1u << 16;
    if (pending.size() + n >= buffer_size)
        flush();
    if (n >= buffer_size)
        write_through(bytes, n);
    else
        pending.append(bytes, n);
}

void file_writer::flush() {
    write_through(pending.data(), pending.size());
    pending.clear();
}

void file_writer::write_through(const char* bytes, std::size_t n) {
    while (n > 0) {
        const auto done = ::write(fd, bytes, std::min<std::size_t>(n, 1u << 30));
        if (done < 0 and errno == EINTR)
            continue;
        if (done < 0)
            fail_with_errno("room for the file");
        bytes += done;
        n -= static_cast<std::size_t>(done);
    }
}

void file_writer::commit() {
    flush();
    const int closing = fd;
    fd = -1;
    if (::close(closing) != 0 or (not direct and ::rename(written.c_str(), target.c_str()) != 0)) {
        const int error = errno;
        if (not direct)
            ::unlink(written.c_str());
        errno = error;
        fail_with_errno("room for the file");
    }
}

void file_writer::fail_with_errno(const char* what) const {
    fail_file(target, what, errno);
}

tmp_dir::tmp_dir(std::string_view prefix) {
    const auto base = fs::temp_directory_path();
    for (;;) {
        const auto name = str(prefix.empty() ? "migraphx" : prefix, "-", unique_suffix());
        path = base / name;
        if (::mkdir(path.c_str(), 0700) == 0)
            return;
        if (errno != EEXIST)
            fail_file(path, "a directory that can be made", errno);
    }
}

tmp_dir::tmp_dir(tmp_dir&& other) noexcept : path(std::move(other.path)) {
    other.path.clear();
}

tmp_dir::~tmp_dir() {
    std::error_code none;
    if (not path.empty() and not keep_tmp_dirs)
        fs::remove_all(path, none);
}

} // namespace migraphx
