"""Segments as other programs see them: h5py, h5dump and HDMF read what varve has written."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy
from hdmf.backends.hdf5 import HDF5IO
from hdmf.common import get_manager, validate

DTYPES = [None, "<f4", "<f8", "<i4", "<i8", "<u4", "<u8", "i1", "u1", "<i2", "<u2", "<f2"]
NONE, DEFLATE, LZF, SZIP, ZSTD = range(5)
COLUMN, OBJECT = range(2)
ZSTD_FILTER = 32015
DIMS = {"spikes": "rows", "matrix": "rows, columns", "marks": "rows, 3, columns", "weights": "20, 90"}
SCHEMA = bytes((i * i // 100) % 256 for i in range(9000))

folder = None
segments = []


def expected(segment, tensor):
    """An array for each record, None where the tensor is absent."""
    raw = (folder / f"{segment['file']}.{tensor['number']}.raw").read_bytes()
    elements = numpy.frombuffer(raw, DTYPES[tensor["dtype"]])
    at, axes = 0, tensor["axes"]
    for i in range(len(segment["ids"])):
        dims = tensor["dims"][i * axes:(i + 1) * axes]
        if dims[0] < 0:
            yield None
            continue
        count = int(numpy.prod(dims))
        yield elements[at:at + count].reshape(dims)
        at += count
    assert at == len(elements)


def unzstd(dataset):
    """h5py has no such filter: chunk by chunk, by hand. Only for shapes that are flat, or chunked along
    the first axis."""
    import zstandard

    values = numpy.zeros(dataset.shape, dataset.dtype)
    size = int(numpy.prod(dataset.chunks)) * dataset.dtype.itemsize
    for i in range(dataset.id.get_num_chunks()):
        offset = dataset.id.get_chunk_info(i).chunk_offset
        mask, data = dataset.id.read_direct_chunk(offset)
        if dataset.fletcher32:
            data = data[:-4]
        bit = 2 if dataset.shuffle else 1
        if not mask & bit:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
        if dataset.shuffle and not mask & 1:
            data = numpy.frombuffer(data, "u1").reshape(dataset.dtype.itemsize, -1).T.tobytes()
        chunk = numpy.frombuffer(data, dataset.dtype).reshape(dataset.chunks)
        where = tuple(slice(o, min(o + c, s)) for o, c, s in zip(offset, dataset.chunks, dataset.shape))
        values[where] = chunk[tuple(slice(0, w.stop - w.start) for w in where)]
    return values


def unit_of(number):
    """Of the tensors that the writer makes, every second one has it."""
    return None if number % 2 else "mV"


def filters(dataset):
    properties = dataset.id.get_create_plist()
    return [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]


def values_of(dataset):
    return unzstd(dataset) if ZSTD_FILTER in filters(dataset) else dataset[()]


class Segments(unittest.TestCase):
    def each(self, **wanted):
        found = 0
        for segment in segments:
            if all(segment[key] == value for key, value in wanted.items()):
                found += 1
                with h5py.File(folder / segment["file"], "r") as file:
                    yield segment, file
        self.assertGreater(found, 3)

    def assert_same(self, dataset, values, tensor):
        self.assertEqual(dataset.dtype, numpy.dtype(DTYPES[tensor["dtype"]]))
        self.assertEqual(dataset.shape, values.shape)
        self.assertEqual(values_of(dataset).tobytes(), values.tobytes())

    def test_a_file_says_what_it_is(self):
        for segment, file in self.each():
            self.assertEqual(file.attrs["varve_format"], 1)
            self.assertEqual(file.attrs["varve_message"], "lab.Recording")
            self.assertEqual(file.attrs["varve_package"], "lab")
            self.assertEqual(file.attrs["varve_layout"], ["COLUMN", "OBJECT"][segment["layout"]])
            self.assertEqual(file["varve_schema"].dtype, numpy.dtype("u1"))
            self.assertEqual(file["varve_schema"][()].tobytes(), SCHEMA)

    def test_objects_have_a_group_for_each_record(self):
        for segment, file in self.each(layout=OBJECT):
            self.assertEqual(set(file), {"varve_schema"} | {str(i) for i in segment["ids"]})
            for tensor in segment["tensors"]:
                for number, values in zip(segment["ids"], expected(segment, tensor)):
                    group = file[str(number)]
                    name = tensor["name"]
                    if values is None:
                        self.assertNotIn(name, group)
                        continue
                    self.assert_same(group[name], values, tensor)
                    self.assertEqual(group[name].attrs["field_number"], tensor["number"])
                    self.assertEqual(group[name].attrs.get("unit"), unit_of(tensor["number"]))
                    if segment["compression"] == NONE:
                        self.assertIsNone(group[name].chunks)

    def test_objects_without_compression_can_be_mapped(self):
        mapped = 0
        for segment, file in self.each(layout=OBJECT, compression=NONE):
            for tensor in segment["tensors"]:
                for number, values in zip(segment["ids"], expected(segment, tensor)):
                    if values is None or values.nbytes < 4096:
                        continue
                    dataset = file[f"{number}/{tensor['name']}"]
                    offset = dataset.id.get_offset()
                    self.assertEqual(offset % 4096, 0)
                    memory = numpy.memmap(folder / segment["file"], dataset.dtype, "r", offset, dataset.shape)
                    self.assertEqual(memory.tobytes(), values.tobytes())
                    mapped += 1
        self.assertGreater(mapped, 10)

    def test_columns_are_found_by_their_field_number(self):
        names = None
        for segment, file in self.each(layout=COLUMN):
            names = {d.attrs["field_number"]: n for n, d in file.items() if "field_number" in d.attrs}
            self.assertEqual(sorted(names), sorted(t["number"] for t in segment["tensors"]))
            for number, name in names.items():
                self.assertEqual(file[name].attrs.get("unit"), unit_of(number))
                if name in DIMS:
                    self.assertEqual(file[name].attrs["dims"], DIMS[name])
            self.assertEqual(names[17], "id_")
            self.assertEqual(names[18], "trace_index")
            self.assertEqual(file["trace_index_"].attrs["target"] and file[
                file["trace_index_"].attrs["target"]].name, "/trace")

    def test_columns_hold_the_values(self):
        for segment, file in self.each(layout=COLUMN):
            self.assertEqual(file["id"][()].tolist(), segment["ids"])
            names = {d.attrs["field_number"]: n for n, d in file.items() if "field_number" in d.attrs}
            indexes = {file[d.attrs["target"]].name[1:]: d for d in file.values() if "target" in d.attrs}
            for tensor in segment["tensors"]:
                name = names[tensor["number"]]
                self.check_column(file, name, indexes.get(name), tensor, list(expected(segment, tensor)))

    def check_column(self, file, name, index, tensor, values):
        if index is None:
            dims = tensor["dims"][:tensor["axes"]]
            shape = tuple(file[name].shape[1:])
            self.assertEqual(len(shape), tensor["axes"])
            self.assertTrue(not values or list(shape) == dims)
            self.assert_same(file[name], numpy.array(values, file[name].dtype).reshape((-1,) + shape), tensor)
            return
        flat = [numpy.zeros(0, DTYPES[tensor["dtype"]]) if v is None else v.ravel() for v in values]
        all_values = numpy.concatenate(flat) if flat else numpy.zeros(0, DTYPES[tensor["dtype"]])
        self.assert_same(file[name], all_values, tensor)
        self.assertEqual(index.dtype, numpy.dtype("<u8"))
        self.assertEqual(index[()].tolist(), numpy.cumsum([len(v) for v in flat]).tolist())
        if tensor["axes"] > 1:
            shape = file[name + "_shape"]
            self.assertEqual(shape.dtype, numpy.dtype("<i8"))
            self.assertEqual(shape[()].ravel().tolist(), tensor["dims"])

    def test_filters_are_those_of_the_schema(self):
        names = {DEFLATE: h5py.h5z.FILTER_DEFLATE, LZF: h5py.h5z.FILTER_LZF, SZIP: h5py.h5z.FILTER_SZIP,
                 ZSTD: ZSTD_FILTER}
        for segment, file in self.each(layout=COLUMN):
            if len(segment["ids"]) < 2:
                continue
            wanted = []
            if segment["compression"] != NONE:
                wanted = [h5py.h5z.FILTER_SHUFFLE] if segment["shuffle"] else []
                wanted.append(names[segment["compression"]])
            wanted += [h5py.h5z.FILTER_FLETCHER32] if segment["checksum"] else []
            self.assertEqual(filters(file["weights"]), wanted)

    def test_many_ids_are_compressed_too(self):
        long = [s for s in segments if len(s["ids"]) == 700]
        self.assertEqual(len(long), 1)
        with h5py.File(folder / long[0]["file"], "r") as file:
            for name in ("id", "spikes_index", "matrix_shape", "varve_schema"):
                self.assertEqual(file[name].compression, "gzip")
                self.assertTrue(file[name].fletcher32)

    def test_hdmf_finds_no_error(self):
        checked = 0
        for segment, file in self.each(layout=COLUMN):
            with HDF5IO(str(folder / segment["file"]), "r", manager=get_manager()) as io:
                self.assertEqual(validate(io=io), [])
            checked += 1
        self.assertGreater(checked, 20)

    def test_the_validator_is_one(self):
        """Without its id column a table is none."""
        segment = next(s for s in segments if s["layout"] == COLUMN and len(s["ids"]) == 30)
        with tempfile.TemporaryDirectory() as other:
            path = pathlib.Path(other) / "broken.h5"
            path.write_bytes((folder / segment["file"]).read_bytes())
            with h5py.File(path, "r+") as file:
                del file["id"]
                del file["weights"].attrs["description"]
            with HDF5IO(str(path), "r", manager=get_manager()) as io:
                self.assertEqual(len(validate(io=io)), 2)

    def test_hdmf_reads_rows(self):
        for segment, file in self.each(layout=COLUMN, compression=DEFLATE):
            with HDF5IO(str(folder / segment["file"]), "r", manager=get_manager()) as io:
                table = io.read()
                self.assertEqual(table.id[:].tolist() if len(segment["ids"]) else [], segment["ids"])
                for name in ("weights", "spikes", "trace"):
                    tensor = next(t for t in segment["tensors"] if t["name"] == name)
                    for i, values in enumerate(expected(segment, tensor)):
                        if i < 30:
                            got = numpy.asarray(table[name][i])
                            self.assertEqual(got.tolist(), [] if values is None else values.tolist())

    def test_h5dump_prints_the_values(self):
        for segment, file in self.each(compression=DEFLATE, layout=COLUMN):
            for name in ("weights", "exact", "spikes", "int64s", "bytes", "halves"):
                tensor = next(t for t in segment["tensors"] if t["name"] == name)
                if not len(file[name]):
                    continue
                command = ["h5dump", "-y", "-w", "0", "-d", f"/{name}", str(folder / segment["file"])]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                data = done.stdout.split("DATA {", 1)[1].split("}", 1)[0].replace(",", " ")
                values = numpy.array(data.split(), float)
                self.assertEqual(values.tolist(), file[name][()].astype(float).ravel().tolist())
                raw = (folder / f"{segment['file']}.{tensor['number']}.raw").read_bytes()
                self.assertEqual(values.tolist(), numpy.frombuffer(raw, file[name].dtype).astype(float).tolist())

    def test_h5dump_reads_whole_files(self):
        for segment, _ in self.each():
            if segment["compression"] in (NONE, DEFLATE):
                command = ["h5dump", str(folder / segment["file"])]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", required=True)
    arguments, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        subprocess.run([arguments.writer, made], check=True, timeout=120)
        segments = [json.loads(line) for line in (folder / "segments.json").read_text().splitlines()]
        program = unittest.main(argv=[sys.argv[0], *rest], exit=False)
    sys.exit(0 if program.result.wasSuccessful() else 1)
