using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>The public sets that are known, with the size and SHA-256 of each file.</summary>
static class PublicSets
{
    public static PublicSet Mnist { get; } = LikeMnist(
        "mnist",
        ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"],
        trainImages: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        trainLabels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        testImages: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        testLabels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

    public static PublicSet FashionMnist { get; } = LikeMnist(
        "fashion-mnist",
        [
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ],
        trainImages: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        trainLabels: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        testImages: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        testLabels: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34");

    public static PublicSet Cifar10 { get; } = new("cifar10", "cifar-10-batches-bin",
    [
        new Package(
            "cifar-10-binary.tar.gz",
            ["https://www.cs.toronto.edu/~kriz/", "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"],
            [
                CifarFile("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                CifarFile("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                CifarFile("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                CifarFile("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                CifarFile("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                CifarFile("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
            ]),
    ]);

    public static ImmutableArray<PublicSet> All { get; } = [Mnist, FashionMnist, Cifar10];

    static PublicSet LikeMnist(
        string name, ImmutableArray<string> mirrors, string trainImages, string trainLabels, string testImages, string testLabels) =>
        new(name, name,
        [
            Gzipped(mirrors, new PublicFile("train-images-idx3-ubyte", 16 + 60_000 * 28 * 28, trainImages)),
            Gzipped(mirrors, new PublicFile("train-labels-idx1-ubyte", 8 + 60_000, trainLabels)),
            Gzipped(mirrors, new PublicFile("t10k-images-idx3-ubyte", 16 + 10_000 * 28 * 28, testImages)),
            Gzipped(mirrors, new PublicFile("t10k-labels-idx1-ubyte", 8 + 10_000, testLabels)),
        ]);

    static Package Gzipped(ImmutableArray<string> mirrors, PublicFile file) => new($"{file.Name}.gz", mirrors, [file]);

    static PublicFile CifarFile(string name, string sha256) => new(name, 10_000 * 3073, sha256);
}
