// What a guest can and cannot do through WASI. A small interpreted module hands every call on, so
// that the functions see what they see from a real guest: its memory, and numbers of its choice.
#include "runtime/host/wasi/wasi.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/host/wasi/wasi_abi.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasi {

// For messages: its number in typenames.witx.
void PrintTo(Errno e, std::ostream* out) { *out << "errno " << static_cast<int>(e); }

namespace {

namespace fs = std::filesystem;
using wasm::Value;
using wasm::testing::Bytes;

// Every function, with its parameters: i = i32, l = i64, p = i32 that is a pointer which must be
// checked.
struct Signature {
  const char* name;
  const char* parameters;
};
constexpr Signature kSignatures[] = {
    {"args_get", "pp"},
    {"args_sizes_get", "pp"},
    {"environ_get", "pp"},
    {"environ_sizes_get", "pp"},
    {"clock_res_get", "ip"},
    {"clock_time_get", "ilp"},
    {"fd_advise", "illi"},
    {"fd_allocate", "ill"},
    {"fd_close", "i"},
    {"fd_datasync", "i"},
    {"fd_fdstat_get", "ip"},
    {"fd_fdstat_set_flags", "ii"},
    {"fd_fdstat_set_rights", "ill"},
    {"fd_filestat_get", "ip"},
    {"fd_filestat_set_size", "il"},
    {"fd_filestat_set_times", "illi"},
    {"fd_pread", "ipilp"},
    {"fd_prestat_get", "ip"},
    {"fd_prestat_dir_name", "ipi"},
    {"fd_pwrite", "ipilp"},
    {"fd_read", "ipip"},
    {"fd_readdir", "ipilp"},
    {"fd_renumber", "ii"},
    {"fd_seek", "ilip"},
    {"fd_sync", "i"},
    {"fd_tell", "ip"},
    {"fd_write", "ipip"},
    {"path_create_directory", "ipi"},
    {"path_filestat_get", "iipip"},
    {"path_filestat_set_times", "iipilli"},
    {"path_link", "iipiipi"},
    {"path_open", "iipiillip"},
    {"path_readlink", "ipipip"},
    {"path_remove_directory", "ipi"},
    {"path_rename", "ipiipi"},
    {"path_symlink", "piipi"},
    {"path_unlink_file", "ipi"},
    {"poll_oneoff", "ppip"},
    {"proc_raise", "i"},
    {"sched_yield", ""},
    {"random_get", "pi"},
    {"sock_accept", "iip"},
    {"sock_recv", "ipiipp"},
    {"sock_send", "ipiip"},
    {"sock_shutdown", "ii"},
};

// A module that imports every function and exports one that calls it; and its memory, of one page.
Bytes Forwarder() {
  using namespace wasm::testing;  // NOLINT: it is all about its words
  std::vector<Bytes> types, imports, functions, exports, bodies;
  constexpr uint32_t kCount = std::size(kSignatures);
  for (uint32_t k = 0; k < kCount; ++k) {
    Bytes parameters, code;
    for (const char* p = kSignatures[k].parameters; *p != 0; ++p) {
      code.push_back(0x20);  // local.get
      code.push_back(static_cast<uint8_t>(parameters.size()));
      parameters.push_back(*p == 'l' ? kI64 : kI32);
    }
    code = Cat({code, {0x10}, Leb(k)});  // call
    types.push_back(FunctionType(parameters, {kI32}));
    imports.push_back(Import("wasi_snapshot_preview1", kSignatures[k].name, Cat({{0x00}, Leb(k)})));
    functions.push_back(Leb(k));
    exports.push_back(Export(kSignatures[k].name, 0, kCount + k));
    bodies.push_back(Body(code));
  }
  exports.push_back(Export("memory", 2, 0));
  return Module({SectionOf(1, types), SectionOf(2, imports), SectionOf(3, functions),
                 SectionOf(5, {Bytes{0x00, 0x01}}), SectionOf(7, exports), SectionOf(10, bodies)});
}

constexpr uint32_t kPage = 65536;

class Guest {
 public:
  explicit Guest(const WasiOptions& options) : linker_(store_) {
    auto wasi = Wasi::Create(options);
    EXPECT_TRUE(wasi.ok()) << wasi.status();
    wasi_ = *std::move(wasi);
    wasi_->AddTo(store_, linker_);
    auto module = wasm::Module::FromValidatedBytes(Forwarder());
    EXPECT_TRUE(module.ok()) << module.status();
    auto instance = linker_.Instantiate(*module);
    EXPECT_TRUE(instance.ok()) << instance.status();
    instance_ = *instance;
    memory_ = instance_->FindExport("memory")->memory.get();
  }

  // Numbers in the order of the parameters.
  Errno Call(std::string_view name, const std::vector<uint64_t>& arguments) {
    wasm::Func* function = instance_->FindFunction(name);
    std::vector<Value> values;
    for (size_t k = 0; k < arguments.size(); ++k) {
      values.push_back(function->type().params[k] == wasm::ValType::kI64
                           ? Value::I64(arguments[k])
                           : Value::I32(static_cast<uint32_t>(arguments[k])));
    }
    const wasm::CallResult result = function->Call(values);
    EXPECT_TRUE(result.ok()) << name << ": " << result.failure;
    return static_cast<Errno>(result.ok() ? result.values[0].As<uint32_t>() : 0xffff);
  }

  void Put(uint32_t at, std::string_view data) {
    std::memcpy(memory_->base() + at, data.data(), data.size());
  }
  template <typename T>
  void PutNumber(uint32_t at, T value) {
    std::memcpy(memory_->base() + at, &value, sizeof value);
  }
  template <typename T>
  T Get(uint32_t at) {
    T value;
    std::memcpy(&value, memory_->base() + at, sizeof value);
    return value;
  }
  std::string Text(uint32_t at, uint32_t size) {
    return std::string(reinterpret_cast<const char*>(memory_->base() + at), size);
  }

  // -- calls in the form that the tests need. Paths are put at 4096, results at 1024.

  static constexpr uint32_t kResult = 1024, kPath = 4096, kPath2 = 6144, kData = 16384;
  static constexpr Rights kRead = kFdRead | kFdSeek | kFdTell | kFdFilestatGet | kFdReaddir;

  Errno Open(uint32_t directory, std::string_view path, uint16_t oflags, Rights rights,
             Rights inheriting, uint32_t& fd, uint32_t lookup = kLookupSymlinkFollow,
             uint16_t fdflags = 0) {
    Put(kPath, path);
    const Errno e = Call("path_open", {directory, lookup, kPath, path.size(), oflags, rights,
                                       inheriting, fdflags, kResult});
    fd = Get<uint32_t>(kResult);
    return e;
  }
  Errno OnPath(std::string_view call, uint32_t directory, std::string_view path) {
    Put(kPath, path);
    return Call(call, {directory, kPath, path.size()});
  }
  Errno Read(uint32_t fd, uint32_t size, std::string& out) {
    PutNumber<uint32_t>(64, kData);
    PutNumber<uint32_t>(68, size);
    const Errno e = Call("fd_read", {fd, 64, 1, kResult});
    if (e == Errno::kSuccess) out = Text(kData, Get<uint32_t>(kResult));
    return e;
  }
  Errno Write(uint32_t fd, std::string_view data) {
    Put(kData, data);
    PutNumber<uint32_t>(64, kData);
    PutNumber<uint32_t>(68, static_cast<uint32_t>(data.size()));
    return Call("fd_write", {fd, 64, 1, kResult});
  }
  Errno Symlink(std::string_view target, uint32_t directory, std::string_view path) {
    Put(kPath, target);
    Put(kPath2, path);
    return Call("path_symlink", {kPath, target.size(), directory, kPath2, path.size()});
  }
  Errno Rename(uint32_t from, std::string_view old_path, uint32_t to, std::string_view new_path) {
    Put(kPath, old_path);
    Put(kPath2, new_path);
    return Call("path_rename", {from, kPath, old_path.size(), to, kPath2, new_path.size()});
  }
  Errno Link(uint32_t from, std::string_view old_path, uint32_t to, std::string_view new_path,
             uint32_t lookup = 0) {
    Put(kPath, old_path);
    Put(kPath2, new_path);
    return Call("path_link", {from, lookup, kPath, old_path.size(), to, kPath2, new_path.size()});
  }

 private:
  std::unique_ptr<Wasi> wasi_;  // outlives the store
  wasm::Store store_;
  wasm::Linker linker_;
  wasm::Instance* instance_ = nullptr;
  wasm::Memory* memory_ = nullptr;
};

constexpr uint32_t kDir = 3;

class WasiTest : public ::testing::Test {
 protected:
  WasiTest() {
    std::string pattern = ::testing::TempDir() + "wasi_XXXXXX";
    root_ = mkdtemp(pattern.data());
    fs::create_directory(root_ / "inside");
    fs::create_directory(root_ / "outside");
    std::ofstream(root_ / "outside" / "secret") << "secret";
    std::ofstream(inside("file")) << "contents";
    fs::create_directory(inside("sub"));
    std::ofstream(inside("sub/deep")) << "deep";
    options_.directories = {{(root_ / "inside").string(), "/data", false}};
  }
  ~WasiTest() override { fs::remove_all(root_); }

  fs::path inside(std::string_view name) const { return root_ / "inside" / name; }
  static std::string Contents(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }

  fs::path root_;
  WasiOptions options_;
};

TEST_F(WasiTest, ArgumentsAndEnvironment) {
  options_.arguments = {"program", "", "two words"};
  options_.environment = {"A=1", "EMPTY="};
  Guest guest(options_);
  EXPECT_EQ(guest.Call("args_sizes_get", {0, 4}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(0), 3u);
  EXPECT_EQ(guest.Get<uint32_t>(4), 19u);
  EXPECT_EQ(guest.Call("args_get", {0, 100}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(0), 100u);
  EXPECT_EQ(guest.Get<uint32_t>(4), 108u);
  EXPECT_EQ(guest.Get<uint32_t>(8), 109u);
  EXPECT_EQ(guest.Text(100, 19), std::string("program\0\0two words\0", 19));
  EXPECT_EQ(guest.Call("environ_sizes_get", {0, 4}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(0), 2u);
  EXPECT_EQ(guest.Call("environ_get", {0, 100}), Errno::kSuccess);
  EXPECT_EQ(guest.Text(100, 11), std::string("A=1\0EMPTY=\0", 11));
}

// Each pointer in turn leads out of memory, by far and by one byte; everything else would be fine.
// None may succeed, except where there is nothing to access.
TEST_F(WasiTest, PointersOutOfMemoryAreFaults) {
  options_.arguments = {"program"};
  options_.environment = {"A=1"};
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  options_.sockets = {sockets[0]};
  fs::create_symlink("file", inside("link"));
  Guest guest(options_);
  uint32_t file;
  ASSERT_EQ(guest.Open(kDir, "file", 0, kFileRights, 0, file), Errno::kSuccess);

  // Arguments with which each call gets as far as to its pointers. An iovec at 256, a path at 4096
  // and 6144, a subscription at 512.
  const auto prepare = [&] {
    guest.PutNumber<uint32_t>(256, Guest::kData);
    guest.PutNumber<uint32_t>(260, 4);
    guest.Put(4096, "file");
    guest.Put(4112, "link");
    guest.Put(6144, "new1");
    guest.Put(512, std::string(48, '\0'));
    guest.PutNumber<uint32_t>(528, 1);
  };
  const std::map<std::string_view, std::vector<uint64_t>> calls = {
      {"args_get", {1024, 2048}},
      {"args_sizes_get", {1024, 1028}},
      {"environ_get", {1024, 2048}},
      {"environ_sizes_get", {1024, 1028}},
      {"clock_res_get", {1, 1024}},
      {"clock_time_get", {1, 0, 1024}},
      {"fd_fdstat_get", {file, 1024}},
      {"fd_filestat_get", {file, 1024}},
      {"fd_pread", {file, 256, 1, 0, 1024}},
      {"fd_prestat_get", {kDir, 1024}},
      {"fd_prestat_dir_name", {kDir, 1024, 5}},
      {"fd_pwrite", {file, 256, 1, 0, 1024}},
      {"fd_read", {file, 256, 1, 1024}},
      {"fd_readdir", {kDir, 1024, 100, 0, 2048}},
      {"fd_seek", {file, 0, 0, 1024}},
      {"fd_tell", {file, 1024}},
      {"fd_write", {file, 256, 1, 1024}},
      {"path_create_directory", {kDir, 6144, 4}},
      {"path_filestat_get", {kDir, 0, 4096, 4, 1024}},
      {"path_filestat_set_times", {kDir, 0, 4096, 4, 0, 0, 0}},
      {"path_link", {kDir, 0, 4096, 4, kDir, 6144, 4}},
      {"path_open", {kDir, 0, 4096, 4, 0, kFdRead, 0, 0, 1024}},
      {"path_readlink", {kDir, 4112, 4, 1024, 100, 2048}},
      {"path_remove_directory", {kDir, 6144, 4}},
      {"path_rename", {kDir, 4096, 4, kDir, 6144, 4}},
      {"path_symlink", {4096, 4, kDir, 6144, 4}},
      {"path_unlink_file", {kDir, 6144, 4}},
      {"poll_oneoff", {512, 1024, 1, 2048}},
      {"random_get", {1024, 16}},
      {"sock_recv", {4, 256, 1, 0, 1024, 1028}},
      {"sock_send", {4, 256, 1, 0, 1024}},
  };
  for (const Signature& signature : kSignatures) {
    const auto call = calls.find(signature.name);
    const std::string_view parameters = signature.parameters;
    if (call == calls.end()) {
      EXPECT_TRUE(parameters.find('p') == std::string_view::npos ||
                  std::string_view(signature.name) == "sock_accept")
          << signature.name << " has pointers that nothing tests";
      continue;
    }
    for (size_t k = 0; k < parameters.size(); ++k) {
      if (parameters[k] != 'p') continue;
      for (const uint64_t bad : {uint64_t{0xffffffff}, uint64_t{kPage - 1}, uint64_t{kPage},
                                 uint64_t{0x80000000}, uint64_t{0xfffffff8}}) {
        prepare();
        // The socket has something to be received, or the call would wait for it.
        ASSERT_EQ(send(sockets[1], "data", 4, MSG_DONTWAIT), 4);
        std::vector<uint64_t> arguments = call->second;
        arguments[k] = bad;
        EXPECT_EQ(guest.Call(signature.name, arguments), Errno::kFault)
            << signature.name << ", argument " << k << " = " << bad;
        char drained[64];
        while (recv(sockets[0], drained, sizeof drained, MSG_DONTWAIT) > 0) {
        }
        while (recv(sockets[1], drained, sizeof drained, MSG_DONTWAIT) > 0) {
        }
        fs::remove(inside("new1"));
        if (!fs::exists(inside("file"))) std::ofstream(inside("file")) << "contents";
      }
    }
  }
  // And buffers that iovecs lead to.
  for (const auto& [pointer, size] : {std::pair<uint32_t, uint32_t>{kPage - 3, 4},
                                      {0, kPage + 1},
                                      {0xffffffff, 0xffffffff},
                                      {kPage + 1, 0}}) {
    guest.PutNumber<uint32_t>(256, pointer);
    guest.PutNumber<uint32_t>(260, size);
    for (const char* name : {"fd_read", "fd_write"}) {
      EXPECT_EQ(guest.Call(name, {file, 256, 1, 1024}), Errno::kFault) << name;
    }
    for (const char* name : {"fd_pread", "fd_pwrite"}) {
      EXPECT_EQ(guest.Call(name, {file, 256, 1, 0, 1024}), Errno::kFault) << name;
    }
  }
  EXPECT_EQ(guest.Call("fd_read", {file, 256, 0xffffffff, 1024}), Errno::kInval);
  close(sockets[0]);
  close(sockets[1]);
}

TEST_F(WasiTest, DescriptorsThatDoNotExist) {
  Guest guest(options_);
  for (const Signature& signature : kSignatures) {
    const std::string_view name = signature.name;
    const bool takes_fd =
        name.substr(0, 3) == "fd_" || name.substr(0, 5) == "path_" || name.substr(0, 5) == "sock_";
    if (!takes_fd) continue;
    for (const uint64_t bad : {uint64_t{4}, uint64_t{4095}, uint64_t{0xffffffff}}) {
      std::vector<uint64_t> arguments(std::strlen(signature.parameters), 0);
      arguments[name == "path_symlink" ? 2 : 0] = bad;
      EXPECT_EQ(guest.Call(name, arguments), Errno::kBadF) << name << " " << bad;
    }
  }
}

TEST_F(WasiTest, FilesAreWrittenAndRead) {
  Guest guest(options_);
  uint32_t fd;
  ASSERT_EQ(guest.Open(kDir, "sub/new", kOflagCreat | kOflagExcl, kFileRights, 0, fd),
            Errno::kSuccess);
  EXPECT_EQ(guest.Write(fd, "0123456789"), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(Guest::kResult), 10u);
  EXPECT_EQ(guest.Call("fd_seek", {fd, static_cast<uint64_t>(-4), 2, 8}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint64_t>(8), 6u);
  std::string text;
  EXPECT_EQ(guest.Read(fd, 100, text), Errno::kSuccess);
  EXPECT_EQ(text, "6789");
  EXPECT_EQ(guest.Call("fd_tell", {fd, 8}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint64_t>(8), 10u);
  EXPECT_EQ(guest.Call("fd_seek", {fd, static_cast<uint64_t>(-11), 1, 8}), Errno::kInval);
  EXPECT_EQ(guest.Call("fd_seek", {fd, 0, 3, 8}), Errno::kInval);
  EXPECT_EQ(guest.Call("fd_filestat_set_size", {fd, 3}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_filestat_get", {fd, 128}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint8_t>(128 + 16), static_cast<uint8_t>(Filetype::kRegularFile));
  EXPECT_EQ(guest.Get<uint64_t>(128 + 32), 3u);
  EXPECT_EQ(guest.Call("fd_allocate", {fd, 0, 100}), Errno::kSuccess);
  EXPECT_EQ(fs::file_size(inside("sub/new")), 100u);
  EXPECT_EQ(guest.Call("fd_filestat_set_times", {fd, 0, 1'500'000'000, kFstMtim}), Errno::kSuccess);
  struct stat st;
  ASSERT_EQ(stat(inside("sub/new").c_str(), &st), 0);
  EXPECT_EQ(st.st_mtim.tv_sec, 1);
  EXPECT_EQ(st.st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(guest.Call("fd_filestat_set_times", {fd, 0, 0, kFstMtim | kFstMtimNow}), Errno::kInval);
  EXPECT_EQ(guest.Call("fd_close", {fd}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_close", {fd}), Errno::kBadF);
  EXPECT_EQ(guest.Open(kDir, "sub/new", kOflagCreat | kOflagExcl, kFileRights, 0, fd),
            Errno::kExist);
  ASSERT_EQ(guest.Open(kDir, "sub/new", kOflagTrunc, kFileRights, 0, fd, 1, kFdflagAppend),
            Errno::kSuccess);
  EXPECT_EQ(guest.Write(fd, "ab"), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_seek", {fd, 0, 0, 8}), Errno::kSuccess);
  EXPECT_EQ(guest.Write(fd, "cd"), Errno::kSuccess);
  EXPECT_EQ(Contents(inside("sub/new")), "abcd");
}

// No way of saying it leads to the directory beside the preopened one.
TEST_F(WasiTest, PathsDoNotLeadOut) {
  fs::create_symlink("../outside", inside("up"));
  fs::create_symlink(root_ / "outside", inside("absolute"));
  fs::create_symlink("../outside/secret", inside("to_secret"));
  fs::create_symlink("sub", inside("within"));
  Guest guest(options_);
  uint32_t fd;
  for (const char* path :
       {"../outside/secret", "sub/../../outside/secret", "./../outside/secret", "..", "sub/../..",
        "up/secret", "absolute/secret", "to_secret", "within/../../outside/secret", "up",
        "absolute", "sub/../up/secret", "//outside", "/etc/passwd", "/"}) {
    EXPECT_NE(guest.Open(kDir, path, 0, Guest::kRead, 0, fd), Errno::kSuccess) << path;
    EXPECT_NE(guest.Open(kDir, path, kOflagCreat | kOflagTrunc, kFileRights, 0, fd),
              Errno::kSuccess)
        << path;
    guest.Put(4096, path);
    EXPECT_NE(guest.Call("path_filestat_get", {kDir, 1, 4096, std::strlen(path), 1024}),
              Errno::kSuccess)
        << path;
  }
  for (const char* path : {"../outside/new", "up/new", "absolute/new", "sub/../../outside/new",
                           "/tmp/precast_wasi_test_new", "..", "sub/.."}) {
    EXPECT_NE(guest.OnPath("path_create_directory", kDir, path), Errno::kSuccess) << path;
    EXPECT_NE(guest.OnPath("path_remove_directory", kDir, path), Errno::kSuccess) << path;
    EXPECT_NE(guest.OnPath("path_unlink_file", kDir, path), Errno::kSuccess) << path;
    EXPECT_NE(guest.Rename(kDir, "file", kDir, path), Errno::kSuccess) << path;
    EXPECT_NE(guest.Rename(kDir, path, kDir, "stolen"), Errno::kSuccess) << path;
    EXPECT_NE(guest.Link(kDir, "file", kDir, path), Errno::kSuccess) << path;
    EXPECT_NE(guest.Symlink("file", kDir, path), Errno::kSuccess) << path;
  }
  EXPECT_NE(guest.Link(kDir, "../outside/secret", kDir, "stolen"), Errno::kSuccess);
  EXPECT_NE(guest.Link(kDir, "up/secret", kDir, "stolen"), Errno::kSuccess);
  EXPECT_NE(guest.Link(kDir, "to_secret", kDir, "stolen", kLookupSymlinkFollow), Errno::kSuccess);
  EXPECT_NE(guest.Symlink("/etc/passwd", kDir, "stolen"), Errno::kSuccess);
  // A link the guest made itself leads nowhere either.
  if (guest.Symlink("../outside/secret", kDir, "own_link") == Errno::kSuccess) {
    EXPECT_NE(guest.Open(kDir, "own_link", 0, Guest::kRead, 0, fd), Errno::kSuccess);
  }
  EXPECT_FALSE(fs::exists(inside("stolen")));
  EXPECT_TRUE(fs::exists(inside("file")));
  EXPECT_EQ(Contents(root_ / "outside" / "secret"), "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "outside"), {}), 1);

  // What stays inside works.
  for (const char* path : {"file", "sub/deep", "./sub/./deep", "within/deep"}) {
    EXPECT_EQ(guest.Open(kDir, path, 0, Guest::kRead, 0, fd), Errno::kSuccess) << path;
    EXPECT_EQ(guest.Call("fd_close", {fd}), Errno::kSuccess);
  }
  EXPECT_EQ(guest.Open(kDir, "within", 0, Guest::kRead, 0, fd, /*lookup=*/0), Errno::kLoop);
  EXPECT_EQ(guest.Open(kDir, std::string_view("file\0x", 6), 0, Guest::kRead, 0, fd),
            Errno::kInval);
}

// Others exchange a directory for a link to the outside while the guest opens files in it, over and
// over.
TEST_F(WasiTest, RenamesMeanwhileDoNotLeadOut) {
  std::ofstream(root_ / "outside" / "deep") << "secret";
  fs::create_symlink(root_ / "outside", root_ / "inside" / "link");
  std::atomic<bool> stop = false;
  std::thread renamer([&] {
    while (!stop) {
      rename(inside("sub").c_str(), inside("aside").c_str());
      rename(inside("link").c_str(), inside("sub").c_str());
      rename(inside("sub").c_str(), inside("link").c_str());
      rename(inside("aside").c_str(), inside("sub").c_str());
    }
  });
  Guest guest(options_);
  int opened = 0;
  for (int k = 0; k < 20000; ++k) {
    uint32_t fd;
    if (guest.Open(kDir, "sub/deep", 0, Guest::kRead, 0, fd) != Errno::kSuccess) continue;
    std::string text;
    EXPECT_EQ(guest.Read(fd, 100, text), Errno::kSuccess);
    EXPECT_EQ(text, "deep");
    EXPECT_EQ(guest.Call("fd_close", {fd}), Errno::kSuccess);
    ++opened;
  }
  stop = true;
  renamer.join();
  RecordProperty("opened", opened);
}

TEST_F(WasiTest, RightsAreKept) {
  Guest guest(options_);
  uint32_t fd;
  std::string text;
  ASSERT_EQ(guest.Open(kDir, "file", 0, kFdRead, 0, fd), Errno::kSuccess);
  EXPECT_EQ(guest.Read(fd, 100, text), Errno::kSuccess);
  EXPECT_EQ(guest.Write(fd, "x"), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_seek", {fd, 0, 0, 8}), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_pread", {fd, 64, 0, 0, 8}), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_fdstat_set_rights", {fd, kFdRead | kFdWrite, 0}), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_fdstat_set_rights", {fd, 0, 0}), Errno::kSuccess);
  EXPECT_EQ(guest.Read(fd, 100, text), Errno::kNotCapable);
  // A directory passes on what it inherits and no more.
  uint32_t sub, deep;
  ASSERT_EQ(guest.Open(kDir, "sub", kOflagDirectory, kPathOpen, kFdRead, sub), Errno::kSuccess);
  EXPECT_EQ(guest.Open(sub, "deep", 0, kFdRead, 0, deep), Errno::kSuccess);
  EXPECT_EQ(guest.Open(sub, "deep", 0, kFdRead | kFdWrite, 0, deep), Errno::kNotCapable);
  EXPECT_EQ(guest.Open(sub, "new", kOflagCreat, kFdRead, 0, deep), Errno::kNotCapable);
  EXPECT_EQ(guest.OnPath("path_unlink_file", sub, "deep"), Errno::kNotCapable);
  // What is above a directory that was opened is not to be had through it.
  EXPECT_NE(guest.Open(sub, "../file", 0, kFdRead, 0, deep), Errno::kSuccess);
}

TEST_F(WasiTest, ReadOnlyDirectoriesStayAsTheyAre) {
  options_.directories[0].read_only = true;
  Guest guest(options_);
  uint32_t fd;
  EXPECT_EQ(guest.Open(kDir, "file", 0, kFileRights, 0, fd), Errno::kNotCapable);
  EXPECT_EQ(guest.Open(kDir, "file", kOflagTrunc, kFdRead, 0, fd), Errno::kNotCapable);
  EXPECT_EQ(guest.Open(kDir, "new", kOflagCreat, kFdRead, 0, fd), Errno::kNotCapable);
  EXPECT_EQ(guest.OnPath("path_create_directory", kDir, "new"), Errno::kNotCapable);
  EXPECT_EQ(guest.OnPath("path_unlink_file", kDir, "file"), Errno::kNotCapable);
  EXPECT_EQ(guest.OnPath("path_remove_directory", kDir, "sub"), Errno::kNotCapable);
  EXPECT_EQ(guest.Rename(kDir, "file", kDir, "new"), Errno::kNotCapable);
  EXPECT_EQ(guest.Link(kDir, "file", kDir, "new"), Errno::kNotCapable);
  EXPECT_EQ(guest.Symlink("file", kDir, "new"), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_filestat_set_times", {kDir, 0, 0, kFstMtim}), Errno::kNotCapable);
  ASSERT_EQ(guest.Open(kDir, "file", 0, Guest::kRead & ~kFdReaddir, 0, fd), Errno::kSuccess);
  EXPECT_EQ(guest.Write(fd, "x"), Errno::kNotCapable);
  EXPECT_EQ(guest.Call("fd_filestat_set_size", {fd, 0}), Errno::kNotCapable);
  EXPECT_EQ(Contents(inside("file")), "contents");
}

TEST_F(WasiTest, DirectoriesAreReadInPieces) {
  std::set<std::string> names = {".", ".."};
  fs::create_directory(inside("many"));
  for (int k = 0; k < 60; ++k) {
    const std::string name = "entry" + std::string(static_cast<size_t>(k), 'x');
    std::ofstream(inside("many/" + name)) << k;
    names.insert(name);
  }
  Guest guest(options_);
  uint32_t fd;
  ASSERT_EQ(guest.Open(kDir, "many", kOflagDirectory, kFdReaddir, 0, fd), Errno::kSuccess);
  for (const uint32_t size : {90u, 256u, 20000u}) {  // 89 is the largest entry
    std::multiset<std::string> found;
    uint64_t cookie = 0;
    for (int rounds = 0; rounds < 200; ++rounds) {
      ASSERT_EQ(guest.Call("fd_readdir", {fd, Guest::kData, size, cookie, 1024}), Errno::kSuccess);
      const uint32_t used = guest.Get<uint32_t>(1024);
      ASSERT_LE(used, size);
      uint32_t at = 0;
      while (at + kDirentSize <= used) {
        const uint32_t length = guest.Get<uint32_t>(Guest::kData + at + 16);
        if (at + kDirentSize + length > used) break;  // cut off
        cookie = guest.Get<uint64_t>(Guest::kData + at);
        found.insert(guest.Text(Guest::kData + at + kDirentSize, length));
        at += static_cast<uint32_t>(kDirentSize) + length;
      }
      if (used < size) break;
    }
    EXPECT_EQ(found, std::multiset<std::string>(names.begin(), names.end())) << size;
  }
  EXPECT_EQ(guest.Call("fd_readdir", {fd, Guest::kData, 100, 1'000'000, 1024}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(1024), 0u);
  EXPECT_EQ(guest.Call("fd_readdir", {fd, Guest::kData, 100, UINT64_MAX, 1024}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(1024), 0u);
}

TEST_F(WasiTest, Renumber) {
  Guest guest(options_);
  uint32_t a, b;
  ASSERT_EQ(guest.Open(kDir, "file", 0, Guest::kRead, 0, a), Errno::kSuccess);
  ASSERT_EQ(guest.Open(kDir, "sub/deep", 0, Guest::kRead, 0, b), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_renumber", {a, b}), Errno::kSuccess);
  std::string text;
  EXPECT_EQ(guest.Read(b, 100, text), Errno::kSuccess);
  EXPECT_EQ(text, "contents");
  EXPECT_EQ(guest.Read(a, 100, text), Errno::kBadF);
  EXPECT_EQ(guest.Call("fd_renumber", {b, b}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_tell", {b, 8}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("fd_renumber", {b, 999}), Errno::kBadF);
  EXPECT_EQ(guest.Call("fd_renumber", {999, b}), Errno::kBadF);
  EXPECT_EQ(guest.Call("fd_tell", {b, 8}), Errno::kSuccess);
}

TEST_F(WasiTest, LinksAndDirectories) {
  Guest guest(options_);
  EXPECT_EQ(guest.Symlink("sub/deep", kDir, "link"), Errno::kSuccess);
  guest.Put(4096, "link");
  EXPECT_EQ(guest.Call("path_readlink", {kDir, 4096, 4, 2048, 3, 1024}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(1024), 3u);  // what fits
  EXPECT_EQ(guest.Call("path_readlink", {kDir, 4096, 4, 2048, 100, 1024}), Errno::kSuccess);
  EXPECT_EQ(guest.Text(2048, guest.Get<uint32_t>(1024)), "sub/deep");
  EXPECT_EQ(guest.Call("path_filestat_get", {kDir, 0, 4096, 4, 2048}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint8_t>(2048 + 16), static_cast<uint8_t>(Filetype::kSymbolicLink));
  EXPECT_EQ(guest.Call("path_filestat_get", {kDir, 1, 4096, 4, 2048}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint8_t>(2048 + 16), static_cast<uint8_t>(Filetype::kRegularFile));

  EXPECT_EQ(guest.OnPath("path_create_directory", kDir, "sub/new"), Errno::kSuccess);
  EXPECT_EQ(guest.OnPath("path_create_directory", kDir, "sub/new"), Errno::kExist);
  EXPECT_EQ(guest.OnPath("path_unlink_file", kDir, "sub/new"), Errno::kIsDir);
  EXPECT_EQ(guest.Rename(kDir, "sub/new", kDir, "moved"), Errno::kSuccess);
  EXPECT_EQ(guest.OnPath("path_remove_directory", kDir, "sub"), Errno::kNotEmpty);
  EXPECT_EQ(guest.OnPath("path_remove_directory", kDir, "moved"), Errno::kSuccess);
  EXPECT_EQ(guest.OnPath("path_remove_directory", kDir, "moved"), Errno::kNoEnt);
  EXPECT_EQ(guest.Link(kDir, "file", kDir, "sub/again"), Errno::kSuccess);
  EXPECT_EQ(guest.OnPath("path_unlink_file", kDir, "file"), Errno::kSuccess);
  EXPECT_EQ(Contents(inside("sub/again")), "contents");
  EXPECT_EQ(guest.OnPath("path_unlink_file", kDir, "file"), Errno::kNoEnt);
}

TEST_F(WasiTest, Preopens) {
  Guest guest(options_);
  EXPECT_EQ(guest.Call("fd_prestat_get", {kDir, 1024}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(1024), 0u);
  EXPECT_EQ(guest.Get<uint32_t>(1028), 5u);
  EXPECT_EQ(guest.Call("fd_prestat_dir_name", {kDir, 1024, 5}), Errno::kSuccess);
  EXPECT_EQ(guest.Text(1024, 5), "/data");
  EXPECT_EQ(guest.Call("fd_prestat_dir_name", {kDir, 1024, 4}), Errno::kNameTooLong);
  EXPECT_EQ(guest.Call("fd_prestat_get", {2, 1024}), Errno::kBadF);
  EXPECT_EQ(guest.Call("fd_prestat_get", {4, 1024}), Errno::kBadF);

  options_.directories.push_back({(root_ / "missing").string(), "/missing", false});
  const auto failed = Wasi::Create(options_);
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.status().message().find("missing"), std::string_view::npos);
}

class PipeTest : public WasiTest {
 protected:
  PipeTest() {
    EXPECT_EQ(pipe2(in_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out_, O_CLOEXEC), 0);
    options_.standard[0] = in_[0];
    options_.standard[1] = out_[1];
  }
  ~PipeTest() override {
    for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) {
      if (fd >= 0) close(fd);
    }
  }
  int in_[2], out_[2];
};

void PutFd(Guest& guest, uint32_t k, uint64_t userdata, EventType type, uint32_t fd) {
  const uint32_t at = 256 + 48 * k;
  guest.PutNumber<uint64_t>(at, userdata);
  guest.PutNumber<uint64_t>(at + 8, static_cast<uint64_t>(type));
  guest.PutNumber<uint32_t>(at + 16, fd);
}
void PutClock(Guest& guest, uint32_t k, uint64_t userdata, Clock clock, uint64_t timeout,
              uint16_t flags = 0) {
  PutFd(guest, k, userdata, EventType::kClock, static_cast<uint32_t>(clock));
  guest.PutNumber<uint64_t>(256 + 48 * k + 24, timeout);
  guest.PutNumber<uint64_t>(256 + 48 * k + 32, 0);
  guest.PutNumber<uint64_t>(256 + 48 * k + 40, flags);
}

TEST_F(PipeTest, PollWaitsForClocksAndPipes) {
  Guest guest(options_);
  constexpr uint32_t kEvents = 2048;
  // Nothing to read: the clock ends it.
  PutFd(guest, 0, 11, EventType::kFdRead, 0);
  PutClock(guest, 1, 22, Clock::kMonotonic, 2'000'000);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 2, 1024}), Errno::kSuccess);
  ASSERT_EQ(guest.Get<uint32_t>(1024), 1u);
  EXPECT_EQ(guest.Get<uint64_t>(kEvents), 22u);
  EXPECT_EQ(guest.Get<uint16_t>(kEvents + 8), 0u);
  EXPECT_EQ(guest.Get<uint8_t>(kEvents + 10), static_cast<uint8_t>(EventType::kClock));
  // A time that is past.
  PutClock(guest, 1, 23, Clock::kRealtime, 5, kSubscriptionClockAbstime);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 2, 1024}), Errno::kSuccess);
  ASSERT_EQ(guest.Get<uint32_t>(1024), 1u);
  EXPECT_EQ(guest.Get<uint64_t>(kEvents), 23u);
  // Something to read, long before the clock.
  ASSERT_EQ(write(in_[1], "hello", 5), 5);
  PutClock(guest, 1, 24, Clock::kMonotonic, 3'600'000'000'000);
  PutFd(guest, 2, 33, EventType::kFdWrite, 1);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 3, 1024}), Errno::kSuccess);
  ASSERT_EQ(guest.Get<uint32_t>(1024), 2u);
  EXPECT_EQ(guest.Get<uint64_t>(kEvents), 11u);
  EXPECT_EQ(guest.Get<uint64_t>(kEvents + 16), 5u);
  EXPECT_EQ(guest.Get<uint64_t>(kEvents + 32), 33u);
  // What is wrong with one subscription is told in its event, not by the call.
  PutFd(guest, 0, 44, EventType::kFdRead, 77);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 1, 1024}), Errno::kSuccess);
  ASSERT_EQ(guest.Get<uint32_t>(1024), 1u);
  EXPECT_EQ(guest.Get<uint16_t>(kEvents + 8), static_cast<uint16_t>(Errno::kBadF));
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 0, 1024}), Errno::kInval);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 0xffffffff, 1024}), Errno::kInval);
  // The other end is closed.
  std::string text;
  EXPECT_EQ(guest.Read(0, 100, text), Errno::kSuccess);
  close(std::exchange(in_[1], -1));
  PutFd(guest, 0, 55, EventType::kFdRead, 0);
  EXPECT_EQ(guest.Call("poll_oneoff", {256, kEvents, 1, 1024}), Errno::kSuccess);
  ASSERT_EQ(guest.Get<uint32_t>(1024), 1u);
  EXPECT_EQ(guest.Get<uint16_t>(kEvents + 24), kEventFdReadwriteHangup);
  EXPECT_EQ(guest.Read(0, 100, text), Errno::kSuccess);
  EXPECT_EQ(text, "");
}

TEST_F(PipeTest, WritingToABrokenPipeIsAnError) {
  Guest guest(options_);
  EXPECT_EQ(guest.Write(1, "x"), Errno::kSuccess);
  close(std::exchange(out_[0], -1));
  EXPECT_EQ(guest.Write(1, "x"), Errno::kPipe);  // and no SIGPIPE
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(WasiTest, Sockets) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  options_.sockets = {sockets[0]};
  Guest guest(options_);
  guest.PutNumber<uint32_t>(256, Guest::kData);
  guest.PutNumber<uint32_t>(260, 4);
  guest.Put(Guest::kData, "ping");
  EXPECT_EQ(guest.Call("sock_send", {4, 256, 1, 0, 1024}), Errno::kSuccess);
  char buffer[8];
  ASSERT_EQ(read(sockets[1], buffer, sizeof buffer), 4);
  ASSERT_EQ(write(sockets[1], "pong", 4), 4);
  EXPECT_EQ(guest.Call("sock_recv", {4, 256, 1, kRecvPeek, 1024, 1028}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("sock_recv", {4, 256, 1, 0, 1024, 1028}), Errno::kSuccess);
  EXPECT_EQ(guest.Get<uint32_t>(1024), 4u);
  EXPECT_EQ(guest.Text(Guest::kData, 4), "pong");
  EXPECT_EQ(guest.Call("sock_shutdown", {4, kShutdownWrite}), Errno::kSuccess);
  EXPECT_EQ(read(sockets[1], buffer, sizeof buffer), 0);
  EXPECT_EQ(guest.Call("sock_shutdown", {4, 8}), Errno::kInval);
  close(sockets[1]);
  close(sockets[0]);
}

TEST_F(WasiTest, DeterministicRunsAreRepeatable) {
  options_.deterministic = true;
  options_.seed = 7;
  std::string first;
  for (int k = 0; k < 2; ++k) {
    Guest guest(options_);
    EXPECT_EQ(guest.Call("random_get", {0, 64}), Errno::kSuccess);
    uint64_t last = 0;
    for (uint32_t n = 0; n < 4; ++n) {
      EXPECT_EQ(guest.Call("clock_time_get", {n % 2, 0, 64 + 8 * n}), Errno::kSuccess);
      const uint64_t now = guest.Get<uint64_t>(64 + 8 * n);
      if (n > 0) {
        EXPECT_EQ(now, last + 1'000'000);
      }
      last = now;
    }
    PutClock(guest, 0, 1, Clock::kMonotonic, 3'600'000'000'000);  // an hour that takes no time
    EXPECT_EQ(guest.Call("poll_oneoff", {256, 2048, 1, 1024}), Errno::kSuccess);
    EXPECT_EQ(guest.Call("clock_time_get", {1, 0, 96}), Errno::kSuccess);
    EXPECT_GE(guest.Get<uint64_t>(96), 3'600'000'000'000u);
    const std::string all = guest.Text(0, 104);
    if (k == 0) first = all;
    EXPECT_EQ(all, first);
  }
  options_.seed = 8;
  Guest other(options_);
  EXPECT_EQ(other.Call("random_get", {0, 64}), Errno::kSuccess);
  EXPECT_NE(other.Text(0, 64), first.substr(0, 64));
}

TEST_F(WasiTest, ClocksAndRandomNumbers) {
  Guest guest(options_);
  for (const uint64_t clock : {0, 1, 2, 3}) {
    EXPECT_EQ(guest.Call("clock_time_get", {clock, 0, 0}), Errno::kSuccess);
    EXPECT_NE(guest.Get<uint64_t>(0), 0u);
    EXPECT_EQ(guest.Call("clock_res_get", {clock, 0}), Errno::kSuccess);
    EXPECT_NE(guest.Get<uint64_t>(0), 0u);
  }
  EXPECT_EQ(guest.Call("clock_time_get", {4, 0, 0}), Errno::kInval);
  EXPECT_EQ(guest.Call("clock_res_get", {0xffffffff, 0}), Errno::kInval);
  EXPECT_EQ(guest.Call("random_get", {0, 1000}), Errno::kSuccess);
  const std::string text = guest.Text(0, 1000);
  EXPECT_GT(std::set<char>(text.begin(), text.end()).size(), 100u);
  EXPECT_EQ(guest.Call("random_get", {kPage, 0}), Errno::kSuccess);
  EXPECT_EQ(guest.Call("proc_raise", {9}), Errno::kNotSup);
  EXPECT_EQ(guest.Call("sched_yield", {}), Errno::kSuccess);
}

// A guest that opens and never closes runs into its own limit, not into the host's.
TEST_F(WasiTest, DescriptorsAreLimited) {
  Guest guest(options_);
  Errno e = Errno::kSuccess;
  int opened = 0;
  for (; opened < 10000 && e == Errno::kSuccess; ++opened) {
    uint32_t fd;
    e = guest.Open(kDir, "file", 0, kFdRead, 0, fd);
  }
  EXPECT_EQ(e, Errno::kMFile) << opened;
}

}  // namespace
}  // namespace precast::runtime::wasi
