// Turns C++ exceptions into messages for the C interface.
#pragma once

#include <c10/util/Exception.h>

#include <cstring>
#include <exception>
#include <string>

inline char* message(const std::string& text) { return strdup(text.c_str()); }

template <typename F>
inline char* guarded(F body) {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& e) {
    return message(e.what_without_backtrace());
  } catch (const std::exception& e) {
    return message(e.what());
  } catch (...) {
    return message("an unknown C++ exception");
  }
}
