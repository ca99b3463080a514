// Functions of TensorFlow in the context of tfjs-node, beside the stock binding: compiled together with its two files, of which
// nothing is changed. `binding.ts` in src/setup renames five symbols for them on the compiler's command line: the calls of the C API
// that stand here as `tinymim_...`, and the registration of the stock binding, `tfjs_register`.
#undef TFE_NewContext
#undef TFE_NewTensorHandle
#undef TFE_TensorHandleResolve
#undef TFE_Execute
#undef napi_register_module_v1

#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

// Of images.cc.
void AddImageFunctions(napi_env env, napi_value exports);

namespace {

TFE_Context* context = nullptr;

// Bytes that crossed between JavaScript and TensorFlow, and calls of operations and functions.
uint64_t bytes_in = 0, bytes_out = 0, calls = 0;

// Where calls are placed; empty: where TensorFlow likes.
std::string call_device;

// Devices of the results of all calls, while somebody asks for them.
bool watching = false;
std::vector<std::string> result_devices;

// A serialized ConfigProto as hexadecimal digits.
std::string ConfigFromEnvironment() {
  const char* given = std::getenv("TINYMIM_ENGINE_CONFIG");
  const std::string digits(given == nullptr ? "" : given);
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) bytes.push_back(static_cast<char>(std::strtol(digits.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

std::string Text(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

std::vector<std::string> Texts(napi_env env, napi_value list) {
  uint32_t length = 0;
  napi_get_array_length(env, list, &length);
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, list, i, &element);
    texts.push_back(Text(env, element));
  }
  return texts;
}

napi_value TextValue(napi_env env, const std::string& text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value ListValue(napi_env env, const std::vector<std::string>& texts) {
  napi_value list;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < texts.size(); i++) napi_set_element(env, list, i, TextValue(env, texts[i]));
  return list;
}

template <size_t n>
void Arguments(napi_env env, napi_callback_info info, napi_value (&values)[n]) {
  size_t count = n;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
}

// Deletes the status; where it is not OK, an exception waits for JavaScript.
bool Succeeded(napi_env env, TF_Status* status) {
  const bool ok = TF_GetCode(status) == TF_OK;
  if (!ok) napi_throw_error(env, nullptr, TF_Message(status));
  TF_DeleteStatus(status);
  return ok;
}

std::vector<TF_Output> FirstOutputs(TF_Graph* graph, const std::vector<std::string>& nodes, TF_Status* status) {
  std::vector<TF_Output> outputs;
  for (const std::string& name : nodes) {
    TF_Operation* node = TF_GraphOperationByName(graph, name.c_str());
    if (node == nullptr) TF_SetStatus(status, TF_NOT_FOUND, ("Expected a node " + name + ", got none.").c_str());
    outputs.push_back({node, 0});
  }
  return outputs;
}

// defineFunction(name, GraphDef, names of the nodes fed, names of the nodes fetched)
napi_value DefineFunction(napi_env env, napi_callback_info info) {
  napi_value args[4];
  Arguments(env, info, args);
  const std::string name = Text(env, args[0]);
  void* bytes = nullptr;
  size_t size = 0;
  napi_get_buffer_info(env, args[1], &bytes, &size);

  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_Buffer* buffer = TF_NewBufferFromString(bytes, size);
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, buffer, options, status);
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(buffer);
  if (TF_GetCode(status) == TF_OK) {
    const std::vector<TF_Output> inputs = FirstOutputs(graph, Texts(env, args[2]), status);
    const std::vector<TF_Output> outputs = FirstOutputs(graph, Texts(env, args[3]), status);
    TF_Function* function = TF_GetCode(status) != TF_OK
                                ? nullptr
                                : TF_GraphToFunction(graph, name.c_str(), /*append_hash_to_fn_name=*/0, /*num_opers=*/-1, nullptr, inputs.size(), inputs.data(), outputs.size(),
                                                     outputs.data(), /*output_names=*/nullptr, /*opts=*/nullptr, /*description=*/nullptr, status);
    if (function != nullptr) {
      TFE_ContextAddFunction(context, function, status);
      TF_DeleteFunction(function);
    }
  }
  TF_DeleteGraph(graph);
  Succeeded(env, status);
  return nullptr;
}

// removeFunction(name)
napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Arguments(env, info, args);
  TF_Status* status = TF_NewStatus();
  TFE_ContextRemoveFunction(context, Text(env, args[0]).c_str(), status);
  Succeeded(env, status);
  return nullptr;
}

// devices(): full names of the context's devices
napi_value Devices(napi_env env, napi_callback_info) {
  TF_Status* status = TF_NewStatus();
  TF_DeviceList* list = TFE_ContextListDevices(context, status);
  if (!Succeeded(env, status)) return nullptr;
  std::vector<std::string> names;
  for (int i = 0; i < TF_DeviceListCount(list); i++) {
    TF_Status* one = TF_NewStatus();
    names.push_back(TF_DeviceListName(list, i, one));
    TF_DeleteStatus(one);
  }
  TF_DeleteDeviceList(list);
  return ListValue(env, names);
}

// placeCalls(device): the device of all calls from now on; '': TensorFlow chooses
napi_value PlaceCalls(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Arguments(env, info, args);
  call_device = Text(env, args[0]);
  return nullptr;
}

// kernels(op): the library's kernels of an op, a serialized KernelList
napi_value Kernels(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Arguments(env, info, args);
  TF_Status* status = TF_NewStatus();
  TF_Buffer* list = TF_GetRegisteredKernelsForOp(Text(env, args[0]).c_str(), status);
  if (!Succeeded(env, status)) return nullptr;
  napi_value copy;
  napi_create_buffer_copy(env, list->length, list->data, nullptr, &copy);
  TF_DeleteBuffer(list);
  return copy;
}

// traffic(): [bytes in, bytes out, calls] since the process began
napi_value Traffic(napi_env env, napi_callback_info) {
  napi_value list, value;
  napi_create_array(env, &list);
  const uint64_t counts[] = {bytes_in, bytes_out, calls};
  for (uint32_t i = 0; i < 3; i++) {
    napi_create_int64(env, static_cast<int64_t>(counts[i]), &value);
    napi_set_element(env, list, i, value);
  }
  return list;
}

// watchResults(on): whether the devices of results are remembered from now on; returns those remembered so far, and forgets them
napi_value WatchResults(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Arguments(env, info, args);
  napi_get_value_bool(env, args[0], &watching);
  const std::vector<std::string> devices = std::move(result_devices);
  result_devices.clear();
  return ListValue(env, devices);
}

// collectGraphs(on): whether TensorFlow keeps the graphs that it makes of functions at their first calls, as it runs them; returns
// those that it kept until now, a serialized RunMetadata
napi_value CollectGraphs(napi_env env, napi_callback_info info) {
  napi_value args[1];
  Arguments(env, info, args);
  bool on = false;
  napi_get_value_bool(env, args[0], &on);
  TF_Status* status = TF_NewStatus();
  TF_Buffer* graphs = TF_NewBuffer();
  if (on) {
    TFE_ContextEnableRunMetadata(context);
  } else {
    TFE_ContextExportRunMetadata(context, graphs, status);
    TFE_ContextDisableRunMetadata(context);
  }
  napi_value copy = nullptr;
  if (Succeeded(env, status)) napi_create_buffer_copy(env, graphs->length, graphs->data, nullptr, &copy);
  TF_DeleteBuffer(graphs);
  return copy;
}

}  // namespace

// Null until an engine is loaded.
TFE_Context* EngineContext() { return context; }

extern "C" {

TFE_Context* tinymim_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  const std::string config = ConfigFromEnvironment();
  if (!config.empty()) TFE_ContextOptionsSetConfig(const_cast<TFE_ContextOptions*>(options), config.data(), config.size(), status);
  return context = TFE_NewContext(options, status);
}

TFE_TensorHandle* tinymim_NewTensorHandle(const TF_Tensor* tensor, TF_Status* status) {
  bytes_in += TF_TensorByteSize(tensor);
  return TFE_NewTensorHandle(tensor, status);
}

TF_Tensor* tinymim_TensorHandleResolve(TFE_TensorHandle* handle, TF_Status* status) {
  TF_Tensor* tensor = TFE_TensorHandleResolve(handle, status);
  if (tensor != nullptr) bytes_out += TF_TensorByteSize(tensor);
  return tensor;
}

void tinymim_Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  calls += 1;
  if (!call_device.empty()) {
    TFE_OpSetDevice(op, call_device.c_str(), status);
    if (TF_GetCode(status) != TF_OK) return;
  }
  TFE_Execute(op, results, count, status);
  if (!watching || TF_GetCode(status) != TF_OK) return;
  for (int i = 0; i < *count; i++) {
    const char* device = TFE_TensorHandleBackingDeviceName(results[i], status);
    result_devices.push_back(device == nullptr ? "" : device);
  }
}

napi_value tfjs_register(napi_env env, napi_value exports);

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  AddImageFunctions(env, exports);
  // A thread that loads images says so: the engine belongs to the thread that loaded it.
  bool images_alone = false;
  napi_has_named_property(env, exports, "imagesAlone", &images_alone);
  if (images_alone) return exports;
  tfjs_register(env, exports);
  const struct {
    const char* name;
    napi_callback function;
  } additions[] = {{"defineFunction", DefineFunction}, {"removeFunction", RemoveFunction}, {"devices", Devices}, {"placeCalls", PlaceCalls}, {"kernels", Kernels}, {"traffic", Traffic}, {"watchResults", WatchResults}, {"collectGraphs", CollectGraphs}};
  for (const auto& addition : additions) {
    napi_value function;
    napi_create_function(env, addition.name, NAPI_AUTO_LENGTH, addition.function, nullptr, &function);
    napi_set_named_property(env, exports, addition.name, function);
  }
  return exports;
}

}  // extern "C"
