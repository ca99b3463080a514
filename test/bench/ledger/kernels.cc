// Counts the time within TensorFlow's kernels: loaded before all else (LD_PRELOAD) into every process of a sweep, it takes the place
// of the function to which TensorFlow hands each ended span of its profiler (`TraceMeRecorder::Record`, tsl/profiler), and writes at
// the end, as CSV, the time of each op less what it spent in others, for each thread and tenth of a second.
//
// The span is a structure of TensorFlow's own, that no header installed with it declares: `parts.ts` refuses figures where
// the spans do not fit the threads' own clocks.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace tsl::profiler {
struct TraceMeRecorder {
  struct Event {
    std::string name;
    int64_t start;  // ns since 1970; spans that have not ended carry a number below 0 here or there
    int64_t end;
  };
  __attribute__((visibility("default"))) static void Record(Event&& event);
  static bool Start(int level);
};
}  // namespace tsl::profiler

namespace {
constexpr int kAllOps = 3;
constexpr int64_t kBucket = 100'000'000;

using Key = std::tuple<int64_t, int, std::string>;  // bucket, thread, op

// Never destroyed: threads of TensorFlow may outlive static variables.
std::mutex& Lock() { static auto* lock = new std::mutex; return *lock; }
std::map<Key, int64_t>& Totals() { static auto* totals = new std::map<Key, int64_t>; return *totals; }

struct Span { int64_t start, end; };

// "node:MatMul" and "node:MatMul#attributes#" are kernels; all else is the runtime's.
std::string OpOf(const std::string& name) {
  const auto colon = name.find(':');
  if (colon == std::string::npos) return "runtime";
  const std::string op = name.substr(colon + 1, name.find_first_of("#,; ", colon + 1) - colon - 1);
  return op.empty() || !(std::isupper(op[0]) || op[0] == '_') ? "runtime" : op;
}

void Write() {
  const char* folder = std::getenv("LEDGER_FOLDER");
  if (folder == nullptr || Totals().empty()) return;
  std::lock_guard<std::mutex> held(Lock());
  const std::string path = std::string(folder) + "/kernels-" + std::to_string(getpid()) + ".csv";
  if (FILE* file = std::fopen(path.c_str(), "w")) {
    std::fprintf(file, "bucket,thread,op,ns\n");
    for (const auto& [key, ns] : Totals()) {
      const auto& [bucket, thread, op] = key;
      std::fprintf(file, "%lld,%d,%s,%lld\n", static_cast<long long>(bucket), thread, op.c_str(), static_cast<long long>(ns));
    }
    std::fclose(file);
  }
}
}  // namespace

void tsl::profiler::TraceMeRecorder::Record(Event&& event) {
  if (event.start <= 0 || event.end <= 0) return;
  thread_local std::vector<Span>* ended = new std::vector<Span>;
  thread_local const int thread = static_cast<int>(syscall(SYS_gettid));
  int64_t own = event.end - event.start;
  while (!ended->empty() && ended->back().start >= event.start) {
    own -= ended->back().end - ended->back().start;
    ended->pop_back();
  }
  ended->push_back({event.start, event.end});
  if (ended->size() > 4096) ended->erase(ended->begin(), ended->end() - 1);
  std::lock_guard<std::mutex> held(Lock());
  Totals()[{event.start / kBucket, thread, OpOf(event.name)}] += own;
}

// The first call that every user of TensorFlow's C API makes here: from then on spans are recorded.
extern "C" __attribute__((visibility("default"))) void* TFE_NewContext(const void* options, void* status) {
  void* tensorflow = dlopen("libtensorflow_cc.so.2", RTLD_LAZY | RTLD_NOLOAD);
  void* framework = dlopen("libtensorflow_framework.so.2", RTLD_LAZY | RTLD_NOLOAD);
  const auto start = reinterpret_cast<bool (*)(int)>(dlsym(framework, "_ZN3tsl8profiler15TraceMeRecorder5StartEi"));
  if (start != nullptr && start(kAllOps)) std::atexit(Write);
  return reinterpret_cast<void* (*)(const void*, void*)>(dlsym(tensorflow, "TFE_NewContext"))(options, status);
}

// A longer name than the system's 15 letters is refused, and the threads between which TensorFlow divides an op ("tf_numa_-1_Eigen")
// would stay nameless.
extern "C" __attribute__((visibility("default"))) int pthread_setname_np(pthread_t thread, const char* name) {
  static const auto set = reinterpret_cast<int (*)(pthread_t, const char*)>(dlsym(RTLD_NEXT, "pthread_setname_np"));
  return set(thread, std::string(name).substr(0, 15).c_str());
}
