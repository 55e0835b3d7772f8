# SPDX-License-Identifier: Apache-2.0
# How our own code is compiled. Link `eventweft_options` to get it.
add_library(eventweft_options INTERFACE)
target_include_directories(eventweft_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(
  eventweft_options
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside libstdc++ and Boost for correct code.
  target_compile_options(
    eventweft_options
    INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
              -Wno-stringop-overflow -Wno-stringop-overread -Wno-dangling-pointer
              -Wno-missing-field-initializers -Wno-mismatched-new-delete)
  # Several sources make one translation unit here (CMakePresets.json): a state
  # class in a .cpp may well hold what is its file's own.
  target_compile_options(eventweft_options INTERFACE -Wno-subobject-linkage)
else()
  target_compile_options(eventweft_options
                         INTERFACE -Wno-missing-field-initializers)
endif()
if(EVENTWEFT_SANITIZE)
  add_compile_options(-fsanitize=${EVENTWEFT_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${EVENTWEFT_SANITIZE})
endif()
if(EVENTWEFT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD AND NOT EVENTWEFT_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()

# eventweft_library(NAME SOURCES… PUBLIC targets… PRIVATE targets…)
function(eventweft_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC eventweft_options ${arg_PUBLIC})
  target_link_libraries(${name} PRIVATE ${arg_PRIVATE})
endfunction()
