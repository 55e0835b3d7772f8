// SPDX-License-Identifier: Apache-2.0
#include "codec/problem.hpp"

#include "codec/json_text.hpp"

namespace eventweft::codec {

int http_status(ec code) noexcept {
  switch (code) {
  case ec::none:
    return 200;
  case ec::malformed:
    return 400;
  case ec::unauthorized:
    return 401;
  case ec::forbidden:
    return 403;
  case ec::not_found:
    return 404;
  case ec::method_not_allowed:
    return 405;
  case ec::timed_out:
    return 408;
  case ec::conflict:
  case ec::not_owner:
  case ec::outdated:
    return 409;
  case ec::too_large:
    return 413;
  case ec::unsupported_media_type:
    return 415;
  case ec::unprocessable:
  case ec::row_refused:
    return 422;
  case ec::too_many_requests:
    return 429;
  case ec::overloaded:
  case ec::store_unavailable:
  case ec::store_full:
  case ec::schema_mismatch:
  case ec::shutting_down:
    return 503;
  case ec::corrupt:
  case ec::bad_configuration:
  case ec::internal:
    return 500;
  }
  return 500;
}

std::string_view retry_after(ec code) noexcept {
  switch (code) {
  case ec::store_unavailable:
  case ec::store_full:
  case ec::schema_mismatch:
    return "5";
  default:
    return "1";
  }
}

namespace {

std::string_view title_of(int status) noexcept {
  switch (status) {
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 426:
    return "Upgrade Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 503:
    return "Service Unavailable";
  default:
    return status < 500 ? "Client Error" : "Internal Server Error";
  }
}

} // namespace

std::string problem_json(int status, const error& e) {
  std::string out = R"({"type":"about:blank","title":)";
  append_quoted(out, title_of(status));
  out.append(R"(,"status":)").append(std::to_string(status));
  out.append(R"(,"detail":)");
  append_quoted(out, e.message);
  out.append(R"(,"code":)");
  append_quoted(out, to_string(e.code));
  out.push_back('}');
  return out;
}

} // namespace eventweft::codec
