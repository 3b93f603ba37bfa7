using System.Reflection;
using System.Xml.Linq;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace PolyBalance.Tests.Architecture;

/// <summary>Every type says what it is for, and so does every member that others may use.</summary>
internal sealed class SummaryTests
{
    private const BindingFlags Instance = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    [Test]
    public void Every_type_of_Core_and_Host_has_a_summary()
    {
        var wrong = from assembly in Product
                    let documented = Documented(assembly)
                    from type in DeclaredNames.TypesOf(assembly)
                    where !type.IsNestedPrivate && !documented.Contains(NameOf(type))
                    select type.FullName;

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_public_and_internal_member_of_Core_and_Host_has_a_summary()
    {
        var wrong = from assembly in Product
                    let documented = Documented(assembly)
                    from type in DeclaredNames.TypesOf(assembly)
                    where !type.IsEnum && !IsHidden(type) && !typeof(Delegate).IsAssignableFrom(type)
                    from member in DeclaredNames.MembersOf(type)
                    where DeclaredNames.IsVisible(member) && !SpeaksForItself(member)
                        && !documented.Contains($"{NameOf(type)}.{member.Name}")
                    select $"{type.FullName}.{member.Name}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_class_is_sealed_unless_it_is_made_to_be_derived_from()
    {
        var types = Product.SelectMany(DeclaredNames.TypesOf).Where(type => type.IsClass).ToList();

        var wrong = types.Where(type => !type.IsSealed && !type.IsAbstract
            && !types.Any(other => other.BaseType == type));

        Findings.AreNone(wrong);
    }

    private static Assembly[] Product => [DeclaredNames.Core, DeclaredNames.Host];

    // A constructor is said by its type, a log message by its text, a positional member by the record's own words, and
    // an inherited member where it was declared first.
    private static bool SpeaksForItself(MemberInfo member)
        => member is ConstructorInfo
            || member.IsDefined(typeof(LoggerMessageAttribute), inherit: false)
            || DeclaredNames.IsInherited(member)
            || IsPositional(member);

    private static bool IsPositional(MemberInfo member)
        => member is PropertyInfo { DeclaringType: { } record, Name: var name }
            && record.GetMethod("PrintMembers", Instance) is not null
            && record.GetConstructors(Instance)
                .Any(made => made.GetParameters().Any(parameter => parameter.Name == name));

    private static bool IsHidden(Type type)
        => type.IsNestedPrivate || (type.DeclaringType is { } outer && IsHidden(outer));

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    /// <summary>
    /// Full names of types and members, without parameters, that the compiler found documentation for.
    /// </summary>
    private static HashSet<string> Documented(Assembly assembly)
        => [.. XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"))
            .Descendants("member")
            .Where(member => member.Element("summary") is not null || member.Element("inheritdoc") is not null)
            .Select(member => ((string)member.Attribute("name")!)[2..].Split('(')[0].Split("``")[0])];
}
