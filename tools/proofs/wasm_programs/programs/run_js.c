// Runs a JavaScript file with QuickJS: run_js FILE [ARGUMENT...]. The engine's own command wants dynamic libraries and
// threads, which WASI has not. Scripts get print(...) and scriptArgs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quickjs.h"

static JSValue Print(JSContext* context, JSValueConst self, int count, JSValueConst* values) {
  (void)self;
  for (int i = 0; i < count; ++i) {
    const char* text = JS_ToCString(context, values[i]);
    if (text == NULL) return JS_EXCEPTION;
    printf("%s%s", i == 0 ? "" : " ", text);
    JS_FreeCString(context, text);
  }
  putchar('\n');
  return JS_UNDEFINED;
}

static int Report(JSContext* context) {
  JSValue exception = JS_GetException(context);
  const char* text = JS_ToCString(context, exception);
  printf("uncaught: %s\n", text == NULL ? "?" : text);
  JS_FreeCString(context, text);
  JS_FreeValue(context, exception);
  return 1;
}

int main(int argc, char** argv) {
  FILE* file = argc < 2 ? NULL : fopen(argv[1], "rb");
  if (file == NULL) {
    fprintf(stderr, "run_js: cannot open %s\n", argc < 2 ? "nothing" : argv[1]);
    return 2;
  }
  static char source[1 << 20];
  const size_t size = fread(source, 1, sizeof source - 1, file);
  source[size] = 0;

  JSRuntime* runtime = JS_NewRuntime();
  JS_SetMaxStackSize(runtime, 0);
  JSContext* context = JS_NewContext(runtime);
  JSValue global = JS_GetGlobalObject(context);
  JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, Print, "print", 1));
  JSValue arguments = JS_NewArray(context);
  for (int i = 2; i < argc; ++i) {
    JS_SetPropertyUint32(context, arguments, i - 2, JS_NewString(context, argv[i]));
  }
  JS_SetPropertyStr(context, global, "scriptArgs", arguments);
  JS_FreeValue(context, global);

  JSValue result = JS_Eval(context, source, size, argv[1], JS_EVAL_TYPE_GLOBAL);
  int code = JS_IsException(result) ? Report(context) : 0;
  JS_FreeValue(context, result);
  JSContext* job;
  int more;
  while ((more = JS_ExecutePendingJob(runtime, &job)) > 0) {
  }
  if (more < 0) code = Report(job);
  JS_FreeContext(context);
  JS_FreeRuntime(runtime);
  return code;
}
